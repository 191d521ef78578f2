"""CORS: which pages of other origins may read answers."""

from collections.abc import Awaitable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

import clock
from server.answers.answers import error_answer
from server.asgi import header
from server.contracts import contract_at
from server.errors.refusals import preflight_refused

EXPOSED_HEADERS = (
    "Allow",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)
PREFLIGHT_SECONDS = 600


class Cors(CORSMiddleware):
    """Lets pages of the allowed origins read all answers, errors included. `*` allows all, without credentials."""

    def __init__(self, app: ASGIApp, *, allowed_origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=allowed_origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "X-Request-ID"),
            allow_credentials="*" not in allowed_origins,
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:  # type: ignore[override]
        """Leave requests without an origin alone, apart from `Vary`: wrapping their answers takes 12 µs each."""
        if scope["type"] == "http" and header(scope, b"origin") is None:
            scope["notes"].headers.append((b"vary", b"Origin"))
            return self.app(scope, receive, send)
        return super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight; a refused one in the shape that errors have at the path."""
        response = super().preflight_response(request_headers)
        return response if response.status_code < preflight_refused().status else _RefusedPreflight(response)


class _RefusedPreflight(Response):
    """Starlette's refusal in the contract's shape; its headers still say what is allowed."""

    def __init__(self, refusal: Response) -> None:
        super().__init__()
        self.allowed = [(name, value) for name, value in refusal.raw_headers if not name.startswith(b"content-")]

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        answer = error_answer(preflight_refused(), contract_at(scope["raw_path"]), at=clock.now())
        answer.headers += self.allowed
        await answer.send(send)
