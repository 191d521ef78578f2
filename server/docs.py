"""Pages beside the contracts: documentation, the contracts' files, and signs of life."""

import asyncio
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson
from sqlalchemy.util import greenlet_spawn
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles

from db.sql.engine import ping, waits_on_loop
from server.contracts import CONTRACTS, Contract

READY_WITHIN_SECONDS = 1

OWN_ORIGIN_ONLY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The pages load nothing from elsewhere. Swagger UI and ReDoc write styles inline."""

PAGES = Path(__file__).parent / "browser"


def pages() -> Router:
    """Route the pages."""
    return Router(
        [
            Route("/", _to_docs),
            Route("/docs", _page("docs.html")),
            Route("/redoc", _page("redoc.html")),
            Route("/docs/contracts.json", _contracts),
            *[Route("/openapi.json", _json_of(one)) for one in CONTRACTS if one.name == "focusguard"],
            Route("/healthz", _alive),
            Route("/readyz", _ready),
            *[Route(f"/openapi/{one.name}.yaml", _yaml_of(one)) for one in CONTRACTS],
            *[Route(f"/openapi/{one.name}.json", _json_of(one)) for one in CONTRACTS],
            Mount("/docs/swagger-ui", StaticFiles(directory=_folder_of("flask_swagger_ui", "dist"))),
            Route("/docs/redoc/redoc.standalone.js", _redoc()),
            Mount("/docs/redoc", StaticFiles(directory=_folder_of("flask_openapi3_redoc", "templates/redoc"))),
            Mount("/docs/page", StaticFiles(directory=PAGES)),
        ],
        redirect_slashes=False,
    )


def _folder_of(package: str, folder: str) -> Path:
    # The packages are never imported; only the browser files that they carry are served.
    spec = find_spec(package)
    assert spec is not None  # noqa: S101  # nosec B101 (the lock file installs it)
    assert spec.origin is not None  # noqa: S101  # nosec B101
    return Path(spec.origin).parent / folder


async def _to_docs(_request: Request) -> Response:
    return RedirectResponse("/docs")


def _page(name: str):
    html = (PAGES / name).read_text()

    async def page(_request: Request) -> Response:
        return HTMLResponse(html, headers={"Content-Security-Policy": OWN_ORIGIN_ONLY})

    return page


def _redoc():
    # ReDoc takes its logo from its makers' host; the wheel has it too, and no page here asks another host.
    folder = _folder_of("flask_openapi3_redoc", "templates/redoc")
    script = (folder / "js" / "redoc.standalone.js").read_text()
    local = script.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "/docs/redoc/images/redoc.svg").encode()
    headers = {"ETag": f'"{sha256(local).hexdigest()}"'}

    async def bundle(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(local, media_type="text/javascript", headers=headers)

    return bundle


async def _contracts(_request: Request) -> Response:
    return JSONResponse([{"name": _title(one), "url": f"/openapi/{one.name}.json"} for one in CONTRACTS])


def _title(contract: Contract) -> str:
    return contract.document["info"]["title"]


def _yaml_of(contract: Contract):
    async def document(_request: Request) -> Response:
        return Response(contract.path.read_bytes(), media_type="application/yaml")

    return document


def _json_of(contract: Contract):
    async def document(_request: Request) -> Response:
        return Response(_json_bytes(contract), media_type="application/json")

    return document


@cache
def _json_bytes(contract: Contract) -> bytes:
    return orjson.dumps(contract.document)


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _ready(_request: Request) -> Response:
    # A look at a database that hangs would keep a thread for good; on the loop it can be cancelled. Nobody waits for
    # that either: it takes as long as the driver tries to tell the database.
    look = asyncio.ensure_future(greenlet_spawn(ping) if waits_on_loop() else asyncio.to_thread(ping))
    await asyncio.wait({look}, timeout=READY_WITHIN_SECONDS)
    if not look.done() or look.exception() is not None:
        look.cancel()
        return JSONResponse({"status": "no database"}, 503)
    return JSONResponse({"status": "ready"})
