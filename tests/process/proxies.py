"""Caddy and nginx with the files of deploy/, on ports, with a certificate and before servers of a test's own."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from getpass import getuser
from grp import getgrgid
from pathlib import Path
from time import sleep

import httpx
import pytest

from environment import ROOT
from tests.conftest import HANGS_AFTER
from tests.process.conftest import PLAIN, Serving

CADDYFILE = ROOT / "deploy" / "caddy" / "Caddyfile"
NGINX = ROOT / "deploy" / "nginx" / "quintet.conf"

# What `make lint-deploy` has installed is found as well, and so is nginx where it is not in a user's path.
FOLDERS = os.pathsep.join([str(Path(sys.prefix) / "deploy" / "bin"), os.environ["PATH"], "/usr/sbin"])


@dataclass
class Proxy:
    """A proxy that runs before servers."""

    https: str
    http: str
    authority: Path

    def client(self, **options: object) -> httpx.Client:
        trusted = ssl.create_default_context(cafile=str(self.authority))
        return httpx.Client(base_url=self.https, verify=trusted, timeout=HANGS_AFTER, **options)  # type: ignore[arg-type]

    def client_at(self, address: str, **headers: str) -> httpx.Client:
        """Make a client that comes from one of the addresses 127.0.0.0/8."""
        trusted = ssl.create_default_context(cafile=str(self.authority))
        way = httpx.HTTPTransport(verify=trusted, local_address=address)
        return httpx.Client(base_url=self.https, transport=way, headers=headers, timeout=HANGS_AFTER)


Started = tuple[list[str], Path]
"""How a proxy is started, and the certificate by which its own is trusted."""


@contextmanager
def before(servers: list[Serving], name: str, folder: Path) -> Iterator[Proxy]:
    """Start a proxy before these servers, and end it."""
    program = shutil.which(name, path=FOLDERS)
    if program is None:
        pytest.skip(f"{name} is not installed")
    ports = (_free_port(), _free_port())
    arguments, authority = PROXIES[name](program, folder, servers, ports)
    environment = PLAIN | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    out = folder / "log"
    with out.open("wb") as log, subprocess.Popen(arguments, stdout=log, stderr=log, env=environment) as one:
        try:
            proxy = Proxy(f"https://localhost:{ports[1]}", f"http://localhost:{ports[0]}", authority)
            _wait_for(proxy, one, out)
            yield proxy
        finally:
            one.terminate()


def _caddy(program: str, folder: Path, servers: list[Serving], ports: tuple[int, int]) -> Started:
    upstreams = " ".join(one.url.removeprefix("http://") for one in servers)
    command = [program, "adapt", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    variables = PLAIN | {"DOMAIN": "localhost", "UPSTREAMS": upstreams}
    adapted = subprocess.run(command, env=variables, capture_output=True, check=True).stdout
    config = json.loads(adapted.replace(b'":80"', b'":%d"' % ports[0]).replace(b'":443"', b'":%d"' % ports[1]))
    config["admin"] = {"disabled": True}
    config["apps"]["http"] |= {"http_port": ports[0], "https_port": ports[1]}
    # For localhost it makes certificates of its own, with an authority that only this test trusts.
    config["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    (folder / "caddy.json").write_text(json.dumps(config))
    return [program, "run", "--config", str(folder / "caddy.json")], folder / "caddy/pki/authorities/local/root.crt"


def _nginx(program: str, folder: Path, servers: list[Serving], ports: tuple[int, int]) -> Started:
    (first, *others) = (one.url.removeprefix("http://") for one in servers)
    certificate = _make_certificate(folder)
    text = NGINX.read_text()
    for theirs, ours in {
        "listen 80;": f"listen {ports[0]};",
        "listen [::]:80;": "",
        "listen 443 ": f"listen {ports[1]} ",
        "listen [::]:443 ssl http2;": "",
        "quintet.example;": "localhost;",
        "/etc/letsencrypt/live/quintet.example/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/quintet.example/privkey.pem": str(folder / "key.pem"),
        "# server 10.0.0.12:8000": "\n".join(f"server {one} max_fails=1 fail_timeout=5s;" for one in others) + "\n#",
        "127.0.0.1:8000": first,
    }.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    (folder / "quintet.conf").write_text(text)
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{one}_temp_path {folder}/{one};" for one in paths)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"user {getuser()} {getgrgid(os.getgid()).gr_name};\n"
        f"http {{ access_log off; {temporary} include {folder}/quintet.conf; }}\n"
    )
    return [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")], certificate


PROXIES = {"caddy": _caddy, "nginx": _nginx}


def _make_certificate(folder: Path) -> Path:
    certificate = folder / "certificate.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key.pem")]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", *key, *name, "-days", "1", "-out", str(certificate)]
    subprocess.run(command, capture_output=True, check=True)
    return certificate


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait_for(proxy: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(HANGS_AFTER * 20):
        assert process.poll() is None, log.read_text()
        with suppress(FileNotFoundError, ssl.SSLError, httpx.ConnectError), proxy.client() as client:
            if client.get("/readyz").is_success:
                return
        sleep(0.05)
    raise AssertionError(log.read_text())
