"""Backups of PostgreSQL, by its own programs."""

import os
import re
import shutil
import subprocess  # nosec B404
from pathlib import Path

from sqlalchemy import Engine, text

from db.backups.errors import BackupError
from db.sql.urls import driver_url

_VERSION = re.compile(r"\) (\d+)")
_REVISION = re.compile(r"^COPY \S*alembic_version .*\n(\S+)$", re.MULTILINE)
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def dump(url: str, engine: Engine, file: Path) -> None:
    """Write a whole database, as it is at this moment, into a file; readers and writers go on. Raises `BackupError`."""
    program = _program("pg_dump")
    _refuse_older(program, engine)
    _run([program, "--format=custom", f"--file={file}"], url)


def load(url: str, file: Path) -> None:
    """Put a dump in the place of a database's tables, all or nothing. Raises `BackupError`."""
    how = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
    _run([_program("pg_restore"), *how, str(file)], url)


def revision_in(file: Path) -> str:
    """Read which revision of the schema a dump has. Raises `BackupError` for a file that is no dump of this product."""
    program = _program("pg_restore")
    rows = _run([program, "--data-only", "--table=alembic_version", "--file=-", str(file)])
    found = _REVISION.search(rows)
    if found is None:
        raise BackupError(f"{file} holds no database of this server's")
    return found[1]


def others_connected(engine: Engine) -> int:
    """Count the connections that others have to the database."""
    with engine.connect() as connection:
        return connection.scalar(_OTHERS) or 0


def _program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        packages = "postgresql-client on Debian and Ubuntu, postgresql on Fedora, libpq in Homebrew"
        raise BackupError(f"{name} is not on the PATH; it comes with a package ({packages})")
    return program


def _refuse_older(program: str, engine: Engine) -> None:
    # It would refuse by itself, but would not say what to do.
    with engine.connect() as connection:
        servers = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    own = int((_VERSION.search(_run([program, "--version"])) or "00")[1])
    if own < servers:
        raise BackupError(
            f"{program} is of PostgreSQL {own} and the server is {servers}: put pg_dump {servers} or newer first on the"
            f" PATH (postgresql-client-{servers} on Debian and Ubuntu)"
        )


def _run(command: list[str], url: str | None = None) -> str:
    """Run a program over a database, or over none; return what it prints. Raises `BackupError`."""
    environment = dict(os.environ)
    if url is not None:
        # A password among the arguments could be read by everybody on this machine.
        plain, password = _split(url)
        environment |= {"PGPASSWORD": password} if password else {}
        command = [command[0], f"--dbname={plain}", *command[1:]]
    # No shell; the operator names the file.
    done = subprocess.run(  # noqa: S603  # nosec B603
        command, env=environment, capture_output=True, text=True, errors="replace", check=False, umask=0o077
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        raise BackupError(lines[0] if lines else f"{command[0]} failed")
    return done.stdout


def _split(url: str) -> tuple[str, str]:
    """Return a URL as libpq reads it, without its password, and that."""
    parsed = driver_url(url)
    password = parsed.password or parsed.query.get("password") or ""
    # `set` takes None for "as it is".
    plain = parsed._replace(drivername="postgresql", password=None).difference_update_query(["password"])
    return plain.render_as_string(hide_password=False), str(password)
