"""Pages beside the contracts, as Flask views: documentation, the contracts' files, and signs of life."""

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson
from flask import Blueprint, Response, abort, redirect, render_template, request, send_from_directory

from db.sql.readiness import is_ready
from server.contracts import CONTRACTS, Contract

READY_WITHIN_SECONDS = 1

OWN_ORIGIN_ONLY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The pages load nothing from elsewhere. Swagger UI and ReDoc write styles inline."""

pages = Blueprint("pages", __name__, template_folder="templates")


@pages.before_app_request
def refuse_operations() -> None:
    """Refuse what Flask's own router takes for an operation: nobody has secured it (spec-first/connexion#1879)."""
    if request.blueprint not in (None, pages.name):
        abort(404)


def _folder_of(package: str, folder: str) -> Path:
    # The packages are never imported; only the browser files that they carry are served.
    spec = find_spec(package)
    # The lock file installs it.
    assert spec is not None  # noqa: S101  # nosec B101
    assert spec.origin is not None  # noqa: S101  # nosec B101
    return Path(spec.origin).parent / folder


BROWSER = Path(__file__).parent / "browser"
REDOC = _folder_of("flask_openapi3_redoc", "templates/redoc")
FILES = {"swagger-ui": _folder_of("flask_swagger_ui", "dist"), "redoc": REDOC, "page": BROWSER}


@pages.get("/")
def home() -> Response:
    """Lead to the documentation."""
    return redirect("/docs", 307)  # type: ignore[return-value]


@pages.get("/docs", defaults={"page": "docs"})
@pages.get("/redoc", defaults={"page": "redoc"})
def documentation(page: str) -> Response:
    """Show Swagger UI or ReDoc."""
    return Response(render_template(f"{page}.html"), headers={"Content-Security-Policy": OWN_ORIGIN_ONLY})


@pages.get("/docs/<any('swagger-ui', redoc, page):source>/<path:filename>")
def browser_file(source: str, filename: str) -> Response:
    """Send a file of Swagger UI, of ReDoc or of the pages themselves."""
    return send_from_directory(FILES[source], filename)


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


@pages.get("/docs/contracts.json")
def list_contracts() -> Response:
    """List the contracts for the menus of the documentation."""
    return _json([{"name": _title_of(one), "url": f"/openapi/{one.name}.json"} for one in CONTRACTS])


def _title_of(contract: Contract) -> str:
    return contract.document["info"]["title"]


@pages.get("/openapi.json", defaults={"name": "focusguard", "form": "json"})  # Its text asks for this path.
@pages.get("/openapi/<name>.<any(yaml, json):form>")
def contract_file(name: str, form: str) -> Response:
    """Send a contract's file as it was written, or the same content as JSON."""
    contract = next((one for one in CONTRACTS if one.name == name), None)
    if contract is None:
        abort(404)
    content = contract.path.read_bytes() if form == "yaml" else _json_of(contract)
    return Response(content, mimetype=f"application/{form}")


@cache
def _json_of(contract: Contract) -> bytes:
    return orjson.dumps(contract.document)


@pages.get("/healthz")
def alive() -> Response:
    """Say that the process is alive."""
    return _json({"status": "alive"})


@pages.get("/readyz")
def ready() -> Response:
    """Say whether the database answers."""
    return _json({"status": "ready"}) if is_ready(READY_WITHIN_SECONDS) else _json({"status": "no database"}, 503)


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")
