"""What happens to the cluster while clients write, and what is promised of each event."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from settings import ROOT
from tests.trials.cluster.cluster import Cluster
from tests.trials.cluster.configs import NODES, SERVERS
from tests.trials.cluster.programs import wait_until

FOLDERS = ("commands", "db", "handlers", "language", "openapi", "security", "server")
SECONDS_AWAY = 4
"""How long what was killed stays away, where it is not what takes its place that matters."""

SECONDS_BEHIND = 20
"""Longer than a replica may be behind (db/sql/replicas.py)."""

MIGRATION = """
import sqlalchemy as sa
from alembic import op

from db.migrations.steps import create_index

revision, down_revision = "{number:04}_fits_0001", "{head}"


def upgrade() -> None:
    create_index("ix_tasks_trial", "tasks", ["account_id", "updated_at"])
    op.add_column("tasks", sa.Column("trial", sa.String(20), nullable=True))
"""


@dataclass(frozen=True)
class Event:
    """What is done, and its promise: how many requests may fail, and within how many seconds writes are back."""

    name: str
    happen: Callable[[Cluster], int | None]
    """Makes it happen, and may return how many requests may fail because of it."""

    most_failures: int | None
    most_seconds: float

    def promise(self, most_failures: int | None) -> str:
        """Write the promise for the table."""
        if most_failures is None:
            return f"0 lost, writes back within {self.most_seconds:.0f} s"
        return f"0 lost, {most_failures} failed" if not most_failures else f"0 lost, at most {most_failures} failed"


def kill_primary(cluster: Cluster) -> None:
    """Kill Patroni and PostgreSQL of the primary's node; it comes back as a standby once another has taken over."""
    gone = cluster.primary()
    cluster.kill_node(gone)
    wait_until("another node is the primary", lambda: _leader(cluster) not in (None, gone))
    cluster.programs[gone].start()


def _leader(cluster: Cluster) -> str | None:
    return next((one["name"] for one in cluster.members() if one["role"] == "leader"), None)


def kill_postgresql_of_primary(cluster: Cluster) -> None:
    """Kill PostgreSQL alone: Patroni notices at once."""
    cluster.kill_postgresql(cluster.primary())


def kill_server(cluster: Cluster) -> int:
    """Kill a server; return how many requests it had under way at most in the second before, and when it died."""
    cluster.tell_balancer("clear counters all")
    sleep(1)
    cluster.programs["s2"].kill()
    under_way = int(cluster.row("servers", "s2")["smax"])
    sleep(SECONDS_AWAY)
    cluster.programs["s2"].start()
    return under_way


def kill_redis(cluster: Cluster) -> None:
    """Kill Redis, and start it again."""
    _kill_for_a_while(cluster, "redis")


def kill_pooler(cluster: Cluster) -> None:
    """Kill one of two PgBouncers, and start it again."""
    _kill_for_a_while(cluster, "b1")


def _kill_for_a_while(cluster: Cluster, name: str) -> None:
    cluster.programs[name].kill()
    sleep(SECONDS_AWAY)
    cluster.programs[name].start()


def switch_over(cluster: Cluster) -> None:
    """Have Patroni make another node the primary."""
    before = cluster.primary()
    cluster.ctl("switchover", "quintet", "--leader", before, "--force")
    wait_until("another node is the primary", lambda: _leader(cluster) not in (None, before))


def hold_replicas_back(cluster: Cluster) -> None:
    """Have all standbys receive what is written, and show none of it: they are passed over before long."""
    # Patroni resumes a replay that is paused by PostgreSQL's own function.
    replaying = [cluster.replaying_process(node) for node in NODES if node != cluster.primary()]
    for process in replaying:
        process.suspend()
    sleep(SECONDS_BEHIND)
    for process in replaying:
        process.resume()


def restart_servers(cluster: Cluster) -> None:
    """Restart all servers one by one, each taken out of HAProxy's hands before it is told to end."""
    for server in SERVERS:
        cluster.tell_balancer(f"set server servers/{server} state drain")
        wait_until(f"{server} has nothing to do", lambda name=server: cluster.row("servers", name)["scur"] == "0")
        cluster.programs[server].stop()
        cluster.programs[server].start()
        wait_until(f"{server} is ready", lambda name=server: cluster.is_ready(name))
        cluster.tell_balancer(f"set server servers/{server} state ready")
        wait_until(f"{server} is used", lambda name=server: cluster.row("servers", name)["status"] == "UP")


def change_schema(cluster: Cluster) -> None:
    """Add a column and an index by a migration, and put servers that know it in the place of the others."""
    product = copy_with_migration(cluster.folder / "product")
    cluster.migrate(product)
    for server in SERVERS:
        cluster.programs[server].workplace = product
    restart_servers(cluster)


def copy_with_migration(folder: Path) -> Path:
    """Copy the product, with one more migration."""
    folder.mkdir()
    for source in [*ROOT.glob("*.py"), *(ROOT / name for name in FOLDERS if (ROOT / name).is_dir())]:
        copy = folder / source.name
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy2(source, copy)
    versions = folder / "db" / "migrations" / "versions"
    head = max(versions.glob("[0-9]*.py")).read_text().partition('revision = "')[2].partition('"')[0]
    number = int(head[:4]) + 1
    (versions / f"{number:04}_trial.py").write_text(MIGRATION.format(head=head, number=number))
    return folder


EVENTS = {
    "primary": Event("`kill -9` of the primary's node", kill_primary, None, 30),
    "postgresql": Event("`kill -9` of the primary's PostgreSQL alone", kill_postgresql_of_primary, None, 30),
    "switchover": Event("switchover to another node", switch_over, None, 30),
    "pooler": Event("`kill -9` of a PgBouncer", kill_pooler, None, 5),
    "server": Event("`kill -9` of a server", kill_server, 0, 5),
    "redis": Event("`kill -9` of Redis", kill_redis, 0, 0),
    "replicas": Event("replicas that fall behind", hold_replicas_back, 0, 0),
    "restart": Event("rolling restart of all servers", restart_servers, 0, 0),
    "schema": Event("rolling schema change: a column, an index, all servers anew", change_schema, 0, 0),
}
