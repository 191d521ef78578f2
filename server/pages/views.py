"""Pages beside the contracts, as Flask views: documentation, the contracts' files, and signs of life."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson
from flask import Blueprint, Response, abort, redirect, render_template, request, send_from_directory

from db.sql.engine import ping
from server.contracts import CONTRACTS, Contract

READY_WITHIN_SECONDS = 1

OWN_ORIGIN_ONLY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The pages load nothing from elsewhere. Swagger UI and ReDoc write styles inline."""

BROWSER = Path(__file__).parent / "browser"

pages = Blueprint("pages", __name__, template_folder="templates")


def folder_of(package: str, folder: str) -> Path:
    """Return a folder of browser files that a package carries. It is never imported."""
    spec = find_spec(package)
    assert spec is not None  # noqa: S101  # nosec B101 (the lock file installs it)
    assert spec.origin is not None  # noqa: S101  # nosec B101
    return Path(spec.origin).parent / folder


SWAGGER_UI = folder_of("flask_swagger_ui", "dist")
REDOC = folder_of("flask_openapi3_redoc", "templates/redoc")


@pages.get("/")
def home() -> Response:
    """Lead to the documentation."""
    return redirect("/docs", 307)  # type: ignore[return-value]


@pages.get("/docs")
def docs() -> Response:
    """Show Swagger UI."""
    return _page("docs.html")


@pages.get("/redoc")
def redoc() -> Response:
    """Show ReDoc."""
    return _page("redoc.html")


def _page(template: str) -> Response:
    return Response(render_template(template), headers={"Content-Security-Policy": OWN_ORIGIN_ONLY})


@pages.get("/docs/contracts.json")
def list_contracts() -> Response:
    """List the contracts for the menus of the documentation."""
    return _json([{"name": title_of(one), "url": f"/openapi/{one.name}.json"} for one in CONTRACTS])


def title_of(contract: Contract) -> str:
    """Return what a contract calls itself."""
    return contract.document["info"]["title"]


@pages.get("/openapi.json")
def show_focusguard() -> Response:
    """Show the contract whose text asks for this path (focusguard, "API Documentation")."""
    return show_contract("focusguard", "json")


@pages.get("/openapi/<name>.<any(yaml, json):form>")
def show_contract(name: str, form: str) -> Response:
    """Show a contract's file as it was written, or the same content as JSON."""
    contract = next((one for one in CONTRACTS if one.name == name), None)
    if contract is None:
        abort(404)
    if form == "yaml":
        return Response(contract.path.read_bytes(), mimetype="application/yaml")
    return Response(_json_of(contract), mimetype="application/json")


@cache
def _json_of(contract: Contract) -> bytes:
    return orjson.dumps(contract.document)


@pages.get("/docs/swagger-ui/<path:filename>")
def swagger_ui(filename: str) -> Response:
    """Send a file of Swagger UI."""
    return send_from_directory(SWAGGER_UI, filename)


@pages.get("/docs/redoc/redoc.standalone.js")
def redoc_script() -> Response:
    """Send ReDoc's script."""
    response = Response(_local_redoc(), mimetype="text/javascript")
    response.set_etag(sha256(_local_redoc()).hexdigest())
    return response.make_conditional(request)  # type: ignore[return-value]


@cache
def _local_redoc() -> bytes:
    # ReDoc takes its logo from its makers' host; the wheel has it too, and no page here asks another host.
    script = (REDOC / "js" / "redoc.standalone.js").read_text()
    return script.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "/docs/redoc/images/redoc.svg").encode()


@pages.get("/docs/redoc/<path:filename>")
def redoc_file(filename: str) -> Response:
    """Send another file of ReDoc."""
    return send_from_directory(REDOC, filename)


@pages.get("/docs/page/<path:filename>")
def page_file(filename: str) -> Response:
    """Send a file that these pages bring themselves."""
    return send_from_directory(BROWSER, filename)


@pages.get("/healthz")
def alive() -> Response:
    """Say that the process is alive."""
    return _json({"status": "alive"})


@pages.get("/readyz")
def ready() -> Response:
    """Say whether the database answers."""
    if _Look.at_database():
        return _json({"status": "ready"})
    return _json({"status": "no database"}, 503)


class _Look:
    """A look at the database: one at a time, however many ask, for a database that hangs keeps its thread."""

    thread = ThreadPoolExecutor(1)
    last: Future[None] | None = None

    @classmethod
    def at_database(cls) -> bool:
        """Check whether the database answers within a second."""
        if cls.last is not None and not cls.last.done():
            return False
        cls.last = cls.thread.submit(ping)
        try:
            cls.last.result(READY_WITHIN_SECONDS)
        except Exception:  # noqa: BLE001 (whatever it is, the database is not ready)
            return False
        return True


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")
