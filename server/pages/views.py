"""Pages beside the contracts, as Flask views: documentation, the contracts' files, and signs of life."""

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson
from flask import Blueprint, Response, abort, render_template, request, send_from_directory

from db.sql.readiness import is_ready
from server.contracts import CONTRACTS, Contract

READY_WITHIN_SECONDS = 1

OWN_ORIGIN_ONLY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The documentation loads nothing from elsewhere. Swagger UI and ReDoc write styles inline."""

OWN_FILES_ONLY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The home page needs less: its form is sent by its script, and nothing on it is inline."""

OPENAPI_JSON = "focusguard"
"""The contract at /openapi.json: its text asks for this path."""

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


OF_REDOC = {
    # ReDoc takes its logo from its makers' host; the wheel has it too, and no page here asks another host.
    "https://cdn.redoc.ly/redoc/logo-mini.svg": "/docs/redoc/images/redoc.svg",
    # Colors that no theme of ReDoc's reaches, and that cannot be read on a dark ground (server/pages/browser/page.css).
    "color: rgba(38, 50, 56, 0.5);": "color: var(--quiet);",
    "font-size: 0.929em;\n  color: black;": "font-size: 0.929em;\n  color: var(--text);",
    "color: #0e7c86;": "color: var(--pattern);",
    "background: #ffffff;": "background: var(--ground);",
}
"""What is written otherwise in ReDoc's script."""


@pages.get("/")
def home() -> Response:
    """Show what this is: the contracts, how to get a token, where clients come from. It asks no database."""
    return _html("home.html", OWN_FILES_ONLY, openapi_json=OPENAPI_JSON)


@pages.get("/docs", defaults={"page": "docs"}, strict_slashes=False)
@pages.get("/redoc", defaults={"page": "redoc"}, strict_slashes=False)
def documentation(page: str) -> Response:
    """Show Swagger UI or ReDoc for the contract that `?api=` names, by its name or its title, or else for the first."""
    wanted = request.args.get("api")
    chosen = next((one for one in CONTRACTS if wanted in (one.name, _title_of(one))), CONTRACTS[0])
    return _html(f"{page}.html", OWN_ORIGIN_ONLY, page=page, chosen=_words_of(chosen))


def _html(template: str, policy: str, **content: object) -> Response:
    html = render_template(template, contracts=[_words_of(one) for one in CONTRACTS], **content)
    return Response(html, headers={"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"})


def _words_of(contract: Contract) -> dict[str, str]:
    info = contract.document["info"]
    return {
        "name": contract.name,
        "title": info["title"],
        "short_title": info["title"].removeprefix("Quintet: "),
        "version": info["version"],
        "base_path": contract.base_path,
        "purpose": info.get("description", "").partition("\n\n")[0],
    }


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
    script = (REDOC / "js" / "redoc.standalone.js").read_text()
    for theirs, ours in OF_REDOC.items():
        script = script.replace(theirs, ours)
    return script.encode()


@pages.get("/docs/contracts.json")
def list_contracts() -> Response:
    """List the contracts for programs."""
    return _json([{"name": _title_of(one), "url": f"/openapi/{one.name}.json"} for one in CONTRACTS])


def _title_of(contract: Contract) -> str:
    return contract.document["info"]["title"]


@pages.get("/openapi.json", defaults={"name": OPENAPI_JSON, "form": "json"})
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
