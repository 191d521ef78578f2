"""What the programs of the cluster are told: every file of configuration, as short as it can be."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.trials.cluster.programs import free_ports

NODES, POOLERS, SERVERS = ("n1", "n2", "n3"), ("b1", "b2"), ("s1", "s2", "s3", "s4")
ROLE = DATABASE = "quintet"
TTL_SECONDS = 20
"""How long a primary that is gone keeps the leader's key in etcd: the least that Patroni allows."""


@dataclass(frozen=True)
class Ports:
    """Where everything listens on 127.0.0.1."""

    etcd: int
    etcd_peers: int
    redis: int
    front: int
    primary: int
    replicas: int
    postgresql: dict[str, int]
    patroni: dict[str, int]
    poolers: dict[str, int]
    servers: dict[str, int]

    @classmethod
    def free(cls) -> "Ports":
        """Choose ports that nobody listens on."""
        groups = (NODES, NODES, POOLERS, SERVERS)
        ports = iter(free_ports(6 + sum(map(len, groups))))
        single = [next(ports) for _ in range(6)]
        nodes, patroni, poolers, servers = ({name: next(ports) for name in names} for names in groups)
        return cls(*single, postgresql=nodes, patroni=patroni, poolers=poolers, servers=servers)


def etcd_command(folder: Path, ports: Ports) -> list[str]:
    """Start a single etcd: what is tried here is PostgreSQL, not etcd."""
    clients, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peers}"
    return [
        *("etcd", "--name", "e1", "--data-dir", str(folder / "etcd")),
        *("--listen-client-urls", clients, "--advertise-client-urls", clients),
        *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"e1={peers}"),
    ]


def redis_command(folder: Path, ports: Ports) -> list[str]:
    """Start a Redis that keeps nothing: it only counts requests."""
    return ["redis-server", "--port", str(ports.redis), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]


def patroni_file(folder: Path, ports: Ports, node: str, binaries: Path) -> str:
    """Write what Patroni is told about one node (JSON is YAML)."""
    rest, database = (f"127.0.0.1:{where[node]}" for where in (ports.patroni, ports.postgresql))
    dcs = {
        "ttl": TTL_SECONDS,
        "loop_wait": 2,
        "retry_timeout": 5,
        "maximum_lag_on_failover": 1_048_576,
        "synchronous_mode": True,
        "primary_start_timeout": 0,
        "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 100, "wal_log_hints": "on"}},
    }
    hba = ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
    postgresql = {
        "listen": database,
        "connect_address": database,
        "data_dir": str(folder / node),
        "bin_dir": str(binaries),
        "pgpass": str(folder / f"{node}.pgpass"),
        "parameters": {"unix_socket_directories": str(folder)},
        "pg_hba": hba,
        "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"}},
    }
    return json.dumps(
        {
            "scope": DATABASE,
            "name": node,
            "restapi": {"listen": rest, "connect_address": rest},
            "etcd3": {"host": f"127.0.0.1:{ports.etcd}"},
            "bootstrap": {"dcs": dcs, "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"]},
            "postgresql": postgresql,
        },
        indent=1,
    )


def pooler_file(ports: Ports, pooler: str) -> str:
    """Write what a PgBouncer is told: it keeps the connections, and HAProxy knows which node is the primary."""
    return f"""
[databases]
{DATABASE} = host=127.0.0.1 port={ports.primary}
{DATABASE}_replicas = host=127.0.0.1 port={ports.replicas} dbname={DATABASE}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {ports.poolers[pooler]}
unix_socket_dir =
auth_type = trust
auth_file = roles.txt
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
server_connect_timeout = 2
server_login_retry = 1
"""


def balancer_file(folder: Path, ports: Ports) -> str:
    """Write what HAProxy is told: servers that are ready, the node that is the primary, nodes that are replicas."""
    servers = "\n".join(f"    server {name} 127.0.0.1:{port} check" for name, port in ports.servers.items())
    nodes = "\n".join(
        f"    server {node} 127.0.0.1:{ports.postgresql[node]} check port {ports.patroni[node]}" for node in NODES
    )
    return f"""
global
    stats socket {folder}/haproxy.sock mode 600 level admin

defaults
    timeout connect 1s
    timeout client 30m
    timeout server 30m
    timeout check 2s
    retries 3
    option redispatch 1

listen servers
    mode http
    bind 127.0.0.1:{ports.front}
    balance leastconn
    option httpchk GET /readyz
    # Only what was certainly not done is sent again, and reads.
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET
    default-server inter 500ms fall 2 rise 1
{servers}

listen primary
    mode tcp
    bind 127.0.0.1:{ports.primary}
    option httpchk GET /primary
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{nodes}

listen replicas
    mode tcp
    bind 127.0.0.1:{ports.replicas}
    option httpchk GET /replica?lag=16MB
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{nodes}
"""
