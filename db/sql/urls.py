"""The URLs of databases, in whichever driver's words they are written."""

import re

from sqlalchemy import make_url
from sqlalchemy.engine import URL

DEFAULT_PORT = "5432"
_SEVERAL_HOSTS = re.compile(r"^(\w[\w+]*://(?:[^@]*@)?)([^/?#@]*,[^/?#@]*)(?!.*@)")


def driver_url(url: str) -> URL:
    """Return a database URL with the driver that this project uses, whichever PostgreSQL driver it names.

    Raises `ValueError` for a database that is neither PostgreSQL nor an SQLite file (an SQLite database in memory would
    be another one in each thread).
    """
    parsed = _parsed(url)
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            return _with_sslmode(parsed).set(drivername="postgresql+psycopg")
        case "sqlite" if parsed.database not in (None, "", ":memory:"):
            return parsed.set(drivername="sqlite")
    raise ValueError("the database has to be PostgreSQL or a file of SQLite's")


def _parsed(url: str) -> URL:
    # libpq's URLs list several hosts before the path, SQLAlchemy's as `host=a:1&host=b:2`. Both drivers understand
    # `host=a,b&port=1,2`.
    before_path = _SEVERAL_HOSTS.match(url)
    parsed = make_url(_SEVERAL_HOSTS.sub(r"\1", url))
    hosts = before_path[2] if before_path else parsed.query.get("host", "")
    places = (hosts if isinstance(hosts, str) else ",".join(hosts)).split(",")
    if len(places) == 1 or "port" in parsed.query:
        return parsed
    names, _, ports = zip(*(place.partition(":") for place in places), strict=True)
    return parsed.update_query_dict({"host": ",".join(names), "port": ",".join(port or DEFAULT_PORT for port in ports)})


def _with_sslmode(url: URL) -> URL:
    # What libpq's URLs and asyncpg's own call `sslmode`, SQLAlchemy's URLs for asyncpg call `ssl`.
    if "ssl" not in url.query:
        return url
    mode = {"true": "require"}.get(str(url.query["ssl"]), url.query["ssl"])
    return url.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})
