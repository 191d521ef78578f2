"""The files of deploy/ agree with the server, and with each other. What they mean is checked by `make lint-deploy`."""

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from db.sql.watch import STATEMENT_TIMEOUT_MILLISECONDS
from environment import ROOT, VARIABLES
from server.edge.https_only import SIGNS_OF_LIFE

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
YAML_FILES = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])
OBJECTS = [one for file in KUBERNETES.glob("*.yaml") for one in yaml.safe_load_all(file.read_text())]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
SERVERS = [service for service in SERVICES.values() if service["image"] == "quintet"]
PODS = [one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] in ("Deployment", "Job")]
CONTAINERS = [container for pod in PODS for container in (*pod.get("initContainers", []), *pod["containers"])]
UNIT = (DEPLOY / "systemd" / "quintet.service").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
CADDYFILE = (DEPLOY / "caddy" / "Caddyfile").read_text()
NGINX = (DEPLOY / "nginx" / "quintet.conf").read_text()

OF_PYTHON = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_yaml_file_can_be_read(path: Path):
    assert list(yaml.safe_load_all(path.read_text()))


def test_only_variables_that_somebody_reads_are_set():
    assert set(set_for_the_server()) - VARIABLES.keys() - OF_PYTHON == set()


def test_nothing_of_a_compose_file_is_asked_for_in_vain():
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))

    assert asked == set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "compose.env.example").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["DOMAIN", "JWT_SECRET_KEY", "POSTGRES_PASSWORD"])
def test_compose_starts_nothing_without_its_secrets(name: str):
    given = re.findall(rf"\$\{{{name}[^}}]*\}}", (DEPLOY / "compose.yaml").read_text())

    assert given
    assert all(one.startswith(f"${{{name}:?") for one in given)
    assert f"\n{name}=\n" in (DEPLOY / "compose.env.example").read_text()


def test_python_is_the_oldest_that_is_supported():
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]

    assert re.findall(r"FROM python:([0-9.]+)", DOCKERFILE) == re.findall(r">=([0-9.]+)", requires)


def test_all_speak_of_the_same_port():
    port = VARIABLES["PORT"][0]
    ports = {
        *re.findall(r"(?:PORT=|EXPOSE )([0-9]+)", DOCKERFILE),
        *re.findall(r":([0-9]+)", SERVICES["caddy"]["environment"]["UPSTREAMS"]),
        *re.findall(r"\{\$UPSTREAMS:127\.0\.0\.1:([0-9]+)\}", CADDYFILE),
        *re.findall(r"^ +server 127\.0\.0\.1:([0-9]+)", NGINX, re.MULTILINE),
        dotenv_values(KUBERNETES / "settings.env")["PORT"],
        dotenv_values(DEPLOY / "systemd" / "quintet.env.example")["PORT"],
        *(str(port["containerPort"]) for container in CONTAINERS for port in container.get("ports", [])),
    }

    assert ports == {port}


def test_probes_ask_where_no_https_is_needed():
    paths = {
        *re.findall(r"'GET', '([^']+)'", DOCKERFILE),
        *re.findall(r"health_uri (\S+)", CADDYFILE),
        *(probe["httpGet"]["path"] for container in CONTAINERS for name, probe in container.items() if "Probe" in name),
    }

    assert paths == {"/healthz", "/readyz"}
    assert paths <= {path.decode() for path in SIGNS_OF_LIFE}


def test_proxies_close_idle_connections_before_the_server_does():
    seconds = re.findall(r"keepalive(?:_timeout)? ([0-9]+)s", CADDYFILE + NGINX)

    assert len(seconds) == 2
    assert all(int(one) < int(VARIABLES["KEEP_ALIVE"][0]) for one in seconds)


def test_the_pooler_limits_statements_as_the_server_does():
    (limit,) = re.findall(r"SET statement_timeout = ([0-9]+)", (DEPLOY / "pgbouncer" / "pgbouncer.ini").read_text())

    assert int(limit) == STATEMENT_TIMEOUT_MILLISECONDS


@pytest.mark.parametrize("text", [CADDYFILE, NGINX], ids=["caddy", "nginx"])
def test_proxies_keep_metrics_to_themselves(text: str):
    assert "/metrics" in text


def test_the_image_holds_all_that_the_server_is_made_of():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line.removeprefix("!") for line in lines if line.startswith("!")]
    modules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["source"]
    needed = [name if (ROOT / name).is_dir() else f"{name}.py" for name in [*modules, "openapi"]]

    assert [name for name in needed if not any(fnmatch(name, one) for one in kept)] == []


def test_the_user_is_the_same_everywhere():
    (user,) = re.findall(r"^USER ([0-9]+):", DOCKERFILE, re.MULTILINE)

    assert {str(pod["securityContext"]["runAsUser"]) for pod in PODS} == {user}


def test_nothing_but_the_proxy_can_be_reached_from_outside():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"caddy"}
    assert {name for name, network in COMPOSE["networks"].items() if not network.get("internal")} == {"edge"}


def test_servers_trust_the_proxys_address_alone():
    address = SERVICES["caddy"]["networks"]["front"]["ipv4_address"]

    assert {one["environment"].get("FORWARDED_ALLOW_IPS") for one in SERVERS} - {None} == {address}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_change_nothing_but_its_volumes(name: str):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_container_can_change_nothing_but_its_volumes():
    contexts = [container["securityContext"] for container in CONTAINERS]

    assert all(one["readOnlyRootFilesystem"] and not one["allowPrivilegeEscalation"] for one in contexts)
    assert all(one["capabilities"] == {"drop": ["ALL"]} for one in contexts)


def set_for_the_server() -> Iterator[str]:
    """Name the variables that are set for a server or its commands, in all files."""
    yield from re.findall(r"([A-Z_]+)=", "".join(re.findall(r"^ENV (?:.*\\\n)*.*", DOCKERFILE, re.MULTILINE)))
    for service in SERVERS:
        yield from service["environment"]
    yield from dotenv_values(KUBERNETES / "settings.env")
    for container in CONTAINERS:
        yield from (one["name"] for one in container["env"])
    yield from dotenv_values(DEPLOY / "systemd" / "quintet.env.example")
    yield from re.findall(r"^Environment=([A-Z_]+)=", UNIT, re.MULTILINE)
