"""The dashboard and the alert rules: all that they ask for is there, and promtool agrees with them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from server.asgi import Notes
from server.metrics.metrics import Metrics
from settings import ROOT
from tests.server.test_metrics import Queue

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "quintet.json").read_text())
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

OF_OTHERS = {"up", "probe_ssl_earliest_cert_expiry"}
"""Prometheus itself has the first, its blackbox exporter the second."""

STRING = re.compile(r'"[^"]*"')
SELECTOR = re.compile(r"([a-z_]+)\{([^}]*)\}")
LABEL = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")
GIVEN_BY_PROMETHEUS = {"job", "instance"}

needs_promtool = pytest.mark.skipif(which("promtool") is None, reason="promtool comes with Prometheus")


def expressions() -> Iterator[str]:
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])
    yield from (rule["expr"] for rule in RULES)


@pytest.fixture(scope="module")
def series(base_url: str) -> dict[str, set[str]]:
    """Every series that a server has, with the names of its labels."""
    metrics = Metrics([Queue("reads")])
    metrics.observe(Notes("x", page="/healthz", status=200, code="busy"), 0.003)
    families = text_string_to_metric_families(metrics.text().decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


@pytest.mark.on("sqlite")
def test_whatever_a_panel_or_a_rule_asks_for_is_there(series: dict[str, set[str]]):
    asked_for = {name: labels for one in expressions() for name, labels in SELECTOR.findall(one)}

    assert len(asked_for) > 10
    assert asked_for.keys() - series.keys() <= OF_OTHERS
    for name, labels in asked_for.items():
        wanted = set(LABEL.findall(STRING.sub('""', labels))) - GIVEN_BY_PROMETHEUS
        assert wanted <= series.get(name, set()), name


@pytest.mark.on("sqlite")
def test_every_metric_has_its_place_on_the_dashboard(series: dict[str, set[str]]):
    shown = {name for panel in PANELS for target in panel["targets"] for name, _ in SELECTOR.findall(target["expr"])}

    of_this_server = {name for name in series if name.startswith("quintet_")}
    assert of_this_server - shown <= {"quintet_request_duration_seconds_count", "quintet_request_duration_seconds_sum"}


def test_the_dashboard_is_whole():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}

    assert len(ids) == len(set(ids))
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    assert all(panel["title"] and panel["targets"] and panel["gridPos"]["w"] for panel in PANELS)
    used = set(re.findall(r"\$(?:\{)?([a-z]+)", json.dumps(PANELS))) - {"__rate_interval"}
    assert used == variables


def test_no_panel_lies_over_another():
    taken = [
        (place["x"] + x, place["y"] + y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["w"])
        for y in range(place["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_every_alert_says_what_is_wrong_and_how_urgent_it_is():
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_every_alert_is_tried_out():
    tests = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]

    fired = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in RULES}


@needs_promtool
@pytest.mark.parametrize(
    "command",
    ["check config prometheus.yml", "check rules alerts.yml", "test rules alerts.test.yml"],
)
def test_promtool_agrees(command: str):
    done = subprocess.run(["promtool", *command.split()], cwd=PROMETHEUS, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_what_the_panels_ask_is_promql(tmp_path: Path):
    asked = [re.sub(r"\$__rate_interval", "5m", target["expr"]) for panel in PANELS for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(asked)]
    (tmp_path / "panels.yml").write_text(yaml.dump({"groups": [{"name": "panels", "rules": rules}]}))

    command = ["promtool", "check", "rules", str(tmp_path / "panels.yml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
