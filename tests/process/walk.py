"""Records which functions of the product a GET walks through: `python -m tests.process.walk DATABASE_URL`.

Prints, as JSON, every call in order: the file, the function, and whether it begins or is resumed (as a coroutine is,
once what it waited for is there).
"""

import asyncio
import json
import sys
import threading
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import clock
from app import build_server
from db.accounts.logins import open_login
from db.membership import join
from db.schema import migrate
from db.sql.engine import connect, transaction
from log import request_lines
from security.tokens import access_token
from settings import Settings

ROOT = Path(__file__).parent.parent.parent
SECRET = "a-key-for-one-walk-that-signs-nothing-else-0123456789"
TODOS = "/api/v1/todo/todos"

Call = tuple[str, str, bool]


class Recorder:
    """Notes the calls of the product's own functions, in all threads."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.frames: list[FrameType] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] in {"tests", ".venv"}:
            return
        begins = not any(frame is known for known in self.frames)
        self.frames.append(frame)
        self.calls.append((str(path.relative_to(ROOT)), frame.f_code.co_qualname, begins))


class Nowhere:
    """An output that keeps nothing."""

    def write(self, _lines: bytes) -> None:
        pass

    def flush(self) -> None:
        pass


async def ask(app: Any, method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """Send a request over ASGI and return the body of the answer."""
    headers = [(b"host", b"quintet.example"), (b"authorization", f"Bearer {token}".encode())]
    headers += [(b"content-type", b"application/json")] if body else []
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    answer: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answer.append(message)

    await app({**scope, "headers": headers, "client": ("127.0.0.1", 1), "state": {}}, receive, send)
    return answer[1]["body"]


async def record(app: Any, token: str, recorder: Recorder) -> None:
    """Make a to-do, read it a few times, so that all that is kept is there, and once more with the recorder on."""
    todo = json.loads(await ask(app, "POST", TODOS, token, b'{"title": "x"}'))
    for _ in range(3):
        await ask(app, "GET", f"{TODOS}/{todo['id']}", token)
    await asyncio.sleep(0)
    recorder.calls.clear()
    sys.setprofile(recorder)
    await ask(app, "GET", f"{TODOS}/{todo['id']}", token)
    await asyncio.sleep(0)
    sys.setprofile(None)


def main(database_url: str) -> None:
    """Record a GET on this database."""
    lifetimes = {"access_lifetime": timedelta(minutes=15), "refresh_lifetime": timedelta(days=7)}
    rest: dict[str, Any] = {"jwt_algorithm": "HS256", "allowed_origins": (), "debug": False}
    settings = Settings("127.0.0.1", 0, database_url, SECRET, rate_limit_per_minute=60, **lifetimes, **rest)
    migrate(connect(database_url))
    app = build_server(settings)
    request_lines.output = Nowhere()  # type: ignore[assignment]
    with transaction() as session:
        account = join(session, username="walker", email="w@quintet.example", password_hash="-", at=clock.now())
        login = open_login(session, account_id=account.id, at=clock.now(), expires_at=clock.now() + timedelta(days=1))
    recorder = Recorder()
    threading.setprofile(recorder)
    asyncio.run(record(app, access_token(account, login.id, fresh=True, at=clock.now()), recorder))
    threading.setprofile(None)
    print(json.dumps(recorder.calls))


if __name__ == "__main__":
    main(sys.argv[1])
