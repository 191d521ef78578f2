"""The cluster: etcd, three PostgreSQL nodes under Patroni, two PgBouncers, Redis, four servers, and HAProxy."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
import psycopg

from settings import ROOT
from tests.conftest import SECRET, folder_in_memory
from tests.trials.cluster.configs import (
    DATABASE,
    NODES,
    POOLERS,
    ROLE,
    SERVERS,
    Ports,
    balancer_file,
    etcd_command,
    patroni_file,
    pooler_file,
    redis_command,
)
from tests.trials.cluster.programs import SYSTEM, Program, postgresql_binaries, wait_until

MIGRATION = (
    "import sys; from db.schema import migrate; from db.sql.engine import connect; migrate(connect(sys.argv[1]))"
)
SET_UP_OF_ROLE = [
    f"CREATE ROLE {ROLE} LOGIN",
    f"ALTER ROLE {ROLE} SET timezone = 'UTC'",
    f"ALTER ROLE {ROLE} SET statement_timeout = 1500",
    f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
]


@dataclass
class Cluster:
    """All programs by their names, and where they listen."""

    folder: Path
    ports: Ports
    programs: dict[str, Program]

    @property
    def url(self) -> str:
        """Where clients ask: HAProxy, before all servers."""
        return f"http://127.0.0.1:{self.ports.front}"

    @property
    def primary_url(self) -> str:
        """The database past the poolers: for migrations, and to look at what is kept."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.ports.primary}/{DATABASE}"

    def members(self) -> list[dict[str, Any]]:
        """List the nodes as Patroni knows them: name, role, state."""
        for port in self.ports.patroni.values():
            with suppress(httpx.TransportError):
                return httpx.get(f"http://127.0.0.1:{port}/cluster", timeout=3).json()["members"]
        return []

    def primary(self) -> str:
        """Name the node that is the primary."""
        wait_until("a node is the primary", lambda: "leader" in {one["role"] for one in self.members()})
        return next(one["name"] for one in self.members() if one["role"] == "leader")

    def has_all_nodes(self) -> bool:
        """Check whether a primary, a synchronous standby and another replica run."""
        members = self.members()
        roles = sorted(one["role"] for one in members)
        return roles == ["leader", "replica", "sync_standby"] and {one["state"] for one in members} <= {
            "running",
            "streaming",
        }

    def kill_node(self, node: str) -> None:
        """Kill Patroni and PostgreSQL of a node, all at once."""
        self.programs[node].kill()
        self.kill_postgresql(node)

    def kill_postgresql(self, node: str) -> None:
        """Kill PostgreSQL of a node alone."""
        kill_postgresql(self.folder / node)

    def tell_balancer(self, command: str) -> str:
        """Say something to HAProxy, and return its answer."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"{self.folder}/haproxy.sock")
            line.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: line.recv(65_536), b"")).decode()

    def row(self, proxy: str, server: str) -> dict[str, str]:
        """Read what HAProxy knows about a server: `status`, `scur` (requests under way), `smax`."""
        head, *rows = self.tell_balancer("show stat").removeprefix("# ").splitlines()
        named = [dict(zip(head.split(","), row.split(","), strict=False)) for row in rows]
        return next(row for row in named if row["pxname"] == proxy and row["svname"] == server)

    def is_served_by_all(self) -> bool:
        """Check whether HAProxy finds all servers ready."""
        return {self.row("servers", server)["status"] for server in SERVERS} == {"UP"}

    def replaying_process(self, node: str) -> psutil.Process:
        """Find the process of a standby that replays what the primary has written."""
        children = postmaster_of(self.folder / node).children()
        return next(one for one in children if "startup" in " ".join(one.cmdline()))

    def tell_postgresql(self, node: str, statement: str) -> None:
        """Have a node's PostgreSQL do something, past everything else."""
        url = f"postgresql://postgres@127.0.0.1:{self.ports.postgresql[node]}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def ctl(self, *arguments: str) -> None:
        """Run patronictl."""
        command = ["patronictl", "-c", str(self.folder / "n1.yml"), *arguments]
        environment = {"PATH": SYSTEM, "HOME": str(self.folder), "LANG": "C.UTF-8"}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

    def server(self, name: str, product: Path) -> Program:
        """Say how a server is run, from a checkout."""
        hosts = [f"127.0.0.1:{self.ports.poolers[one]}" for one in POOLERS]
        # Each prefers another pooler, and goes to the other one when that is away.
        places = ",".join(hosts if SERVERS.index(name) % 2 else hosts[::-1])
        known = {
            "PORT": str(self.ports.servers[name]),
            "WORKERS": "1",
            "DATABASE_URL": f"postgresql://{ROLE}@{places}/{DATABASE}",
            "DATABASE_REPLICA_URL": f"postgresql://{ROLE}@{places}/{DATABASE}_replicas",
            "PREPARED_STATEMENTS": "false",
            "MIGRATE": "false",
            "JWT_SECRET_KEY": SECRET,
            "RATE_LIMIT_PER_MINUTE": "1000000",
            "RATE_LIMIT_STORAGE_URL": f"redis://127.0.0.1:{self.ports.redis}/0",
        }
        command = [sys.executable, "-W", "ignore", "app.py"]
        return Program(name, command, self.folder, known, as_postgres=False, workplace=product)

    def migrate(self, product: Path) -> None:
        """Migrate the database, past the poolers, to the schema of a checkout."""
        command = [sys.executable, "-W", "ignore", "-c", MIGRATION, self.primary_url]
        subprocess.run(command, cwd=product, check=True, timeout=600)

    def is_ready(self, server: str) -> bool:
        """Check whether a server says that it is ready."""
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.ports.servers[server]}/readyz", timeout=5).status_code == 200
        return False


def postmaster_of(data: Path) -> psutil.Process:
    """Find the first process of a PostgreSQL."""
    return psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))


def kill_postgresql(data: Path) -> None:
    """Kill a PostgreSQL with all its processes, if it runs."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        postmaster = postmaster_of(data)
        processes = [postmaster, *postmaster.children(recursive=True)]
        if postmaster.name() != "postgres":
            return
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)


@contextmanager
def running_cluster(logs: Path | None) -> Iterator[Cluster]:
    """Bring the cluster up in a folder of its own, and leave nothing of it behind but its logs, if they are wanted."""
    with TemporaryDirectory(prefix="cluster", dir=folder_in_memory()) as name:
        folder, ports = Path(name), Ports.free()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        cluster = Cluster(folder, ports, _programs(folder, ports))
        cluster.programs |= {server: cluster.server(server, ROOT) for server in SERVERS}
        try:
            _bring_up(cluster)
            yield cluster
        finally:
            for program in reversed(cluster.programs.values()):
                program.kill()
            for node in NODES:
                kill_postgresql(folder / node)
            if logs:
                for log in folder.glob("*.log"):
                    shutil.copy(log, logs)


def _programs(folder: Path, ports: Ports) -> dict[str, Program]:
    binaries = postgresql_binaries()
    assert binaries is not None
    (folder / "roles.txt").write_text(f'"{ROLE}" ""\n')
    (folder / "haproxy.cfg").write_text(balancer_file(folder, ports))
    commands = {"etcd": etcd_command(folder, ports), "redis": redis_command(folder, ports)}
    for node in NODES:
        (folder / f"{node}.yml").write_text(patroni_file(folder, ports, node, binaries))
        commands[node] = ["patroni", str(folder / f"{node}.yml")]
    commands["haproxy"] = ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]
    for pooler in POOLERS:
        (folder / f"{pooler}.ini").write_text(pooler_file(ports, pooler))
        commands[pooler] = ["pgbouncer", str(folder / f"{pooler}.ini")]
    environment = {"HOME": str(folder), "LANG": "C.UTF-8"}
    return {name: Program(name, command, folder, environment) for name, command in commands.items()}


def _bring_up(cluster: Cluster) -> None:
    for name in ("etcd", "redis", "haproxy", "n1"):
        cluster.programs[name].start()
    cluster.primary()
    for name in ("n2", "n3", *POOLERS):
        cluster.programs[name].start()
    wait_until("all nodes run", cluster.has_all_nodes)
    _create_database(cluster)
    cluster.migrate(ROOT)
    for server in SERVERS:
        cluster.programs[server].start()
    wait_until("all servers are ready", cluster.is_served_by_all)


def _create_database(cluster: Cluster) -> None:
    wait_until("HAProxy knows the primary", lambda: cluster.row("primary", "BACKEND")["status"] == "UP")
    for statement in SET_UP_OF_ROLE:
        cluster.tell_postgresql(cluster.primary(), statement)
