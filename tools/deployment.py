"""Checks what is in deploy/ with validators: `make lint-deploy`. What is not installed is named, never passed over."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
UNIT = DEPLOY / "systemd" / "quintet.service"

VARIABLES = {"DOMAIN": "quintet.example"}
"""What the Caddyfile reads from the environment, and cannot be checked without."""

Command = list[str | Path]


def main(folders: Sequence[str]) -> int:
    """Run all checks with the programs in these folders or else in the path; return 1 if one fails, else 0."""
    path = os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin"])
    with TemporaryDirectory() as scratch:
        failed = [str(command[0]) for command in _commands(Path(scratch)) if not _passes(command, path)]
    return min(len(failed), 1)


def _passes(command: Command, path: str) -> bool:
    program, *arguments = map(str, command)
    said = " ".join([program, *arguments]).replace(f"{ROOT}/", "")
    found = shutil.which(program, path=path)
    if found is None:
        print(f"Not run, for want of {program}: {said}")
        return True
    run = subprocess.run([found, *arguments], env=os.environ | VARIABLES, capture_output=True, text=True, check=False)
    # Of a word in a unit that it does not know, systemd only says so.
    is_well = run.returncode == 0 and not ("verify" in arguments and UNIT.name in run.stderr)
    print(f"{'Passed' if is_well else 'Failed'}: {said}", flush=True)
    if not is_well:
        print(run.stdout + run.stderr, file=sys.stderr, flush=True)
    return is_well


def _commands(scratch: Path) -> Iterator[Command]:
    yield ["hadolint", *DEPLOY.rglob("Dockerfile")]
    own = sorted(DEPLOY.rglob("*.yaml"))
    yield ["yamllint", "--strict", "--config-file", ROOT / ".yamllint", *own]
    yield ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"]
    objects = [file for file in sorted(KUBERNETES.glob("*.yaml")) if file.name != "kustomization.yaml"]
    yield ["kubernetes-validate", "--strict", "--quiet", *objects]
    yield ["kubectl", "kustomize", KUBERNETES, "--output", scratch / "all.yaml"]
    if (scratch / "all.yaml").exists():
        yield ["kubernetes-validate", "--strict", "--quiet", scratch / "all.yaml"]
    caddyfile = DEPLOY / "caddy" / "Caddyfile"
    yield ["caddy", "validate", "--adapter", "caddyfile", "--config", caddyfile]
    yield ["caddy", "fmt", "--diff", caddyfile]
    yield ["systemd-analyze", "verify", _unit(scratch)]
    yield ["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT]
    yield ["nginx", "-t", "-q", "-p", scratch, "-e", "stderr", "-c", _nginx(scratch)]
    yield from _monitoring()


def _monitoring() -> Iterator[Command]:
    for dashboard in sorted(DEPLOY.glob("grafana/*.json")):
        yield [sys.executable, "-m", "json.tool", dashboard, os.devnull]
    for file in sorted(DEPLOY.glob("prometheus/*.yml")):
        members = yaml.safe_load(file.read_text())
        kind = ["test", "rules"] if "tests" in members else ["check", "rules" if "groups" in members else "config"]
        yield ["promtool", *kind, file]


def _unit(scratch: Path) -> Path:
    # The unit's own programs are where it will be installed.
    copy = scratch / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/quintet/.venv/bin/python", sys.executable))
    return copy


def _nginx(scratch: Path) -> Path:
    """Write what stands around the file of deploy/, with a certificate of its own, and return it."""
    text = (DEPLOY / "nginx" / "quintet.conf").read_text()
    for name in ("fullchain.pem", "privkey.pem"):
        text = text.replace(f"/etc/letsencrypt/live/quintet.example/{name}", str(scratch / name))
    (scratch / "quintet.conf").write_text(text)
    if openssl := shutil.which("openssl"):
        files = ["-keyout", scratch / "privkey.pem", "-out", scratch / "fullchain.pem"]
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=quintet.example", *files]
        subprocess.run(command, capture_output=True, check=True)
    (scratch / "nginx.conf").write_text(
        f"pid {scratch}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; include {scratch}/quintet.conf; }}\n"
    )
    return scratch / "nginx.conf"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
