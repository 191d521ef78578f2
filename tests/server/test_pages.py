import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from html import escape, unescape
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
import pytest
import yaml

from db.sql import readiness
from server.app import Quintet
from server.contracts import CONTRACTS, OPENAPI_FOLDER, Contract
from server.pages import views
from tests.conftest import HANGS_AFTER, both, numbers, once
from tests.server.conftest import raw_request

pytestmark = once

HTML_PAGES = ("/", "/docs", "/redoc")
BROWSER_FILES = sorted(views.BROWSER.iterdir())


def links_of(html: str) -> list[str]:
    return re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']?([^"'\s>]+)""", html)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_home_page_tells_of_every_contract_in_its_own_words(anonymous: httpx.Client, contract: Contract):
    home = anonymous.get("/").text

    info = contract.document["info"]
    told = [info["title"], info["version"], contract.base_path, info["description"].partition("\n\n")[0]]
    assert [words for words in told if escape(words, quote=False).replace("'", "&#39;") not in home] == []
    assert {
        f"/docs?api={contract.name}",
        f"/redoc?api={contract.name}",
        f"/openapi/{contract.name}.yaml",
        f"/openapi/{contract.name}.json",
    } <= set(links_of(home))


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
def test_the_home_page_is_html_for_everybody(anonymous: httpx.Client, accept: str):
    whole, head = (anonymous.request(method, "/", headers={"Accept": accept}) for method in ("GET", "HEAD"))

    assert (whole.status_code, head.status_code, head.content) == (200, 200, b"")
    assert whole.headers["content-type"] == head.headers["content-type"] == "text/html; charset=utf-8"
    assert whole.headers["content-length"] == head.headers["content-length"]


def test_the_home_page_asks_no_database(anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    def away() -> None:
        raise AssertionError("somebody asked")

    monkeypatch.setattr(readiness, "ping", away)

    assert anonymous.get("/").status_code == 200


@once
def test_the_commands_on_the_home_page_get_a_token_and_use_it(anonymous: httpx.Client, base_url: str):
    (shown,) = re.findall(r"<pre[^>]*>(HOST=.*?)</pre>", anonymous.get("/").text, re.DOTALL)
    name = f"maya{next(numbers)}"
    commands = unescape(re.sub("<[^>]+>", "", shown)).replace("http://127.0.0.1:8000", base_url).replace("maya", name)
    preamble, register, log_in, read = commands.split("\n\n")

    registered = json.loads(output_of(preamble, register))
    token = json.loads(output_of(preamble, log_in))["access_token"]
    listed = json.loads(output_of(preamble, f"ACCESS_TOKEN={token}", read))
    deleted = anonymous.delete("/api/users/me", headers={"Authorization": f"Bearer {token}"})

    assert registered["user"]["username"] == name
    assert listed["tasks"] == []
    assert deleted.status_code == 204


def output_of(*commands: str) -> str:
    return subprocess.run(["/bin/sh", "-c", "\n".join(commands)], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("is_demo", [False, True])
def test_a_demo_account_is_offered_by_a_demo_alone(is_demo: bool):
    home = Quintet(demo=is_demo).app.test_client().get("/").text

    assert ("Make a demo account" in home) is is_demo


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_a_page_shows_the_contract_that_it_is_asked_for(anonymous: httpx.Client, page: str, contract: Contract):
    asked = [contract.name, contract.document["info"]["title"]]

    for path in (page, f"{page}/"):
        for api in asked:
            assert chosen_on(anonymous.get(path, params={"api": api})) == f"/openapi/{contract.name}.json"


@pytest.mark.parametrize(
    "query", ["", "?api=", "?api=nothing", "?api=%3Cscript%3E%22", "?api=%FF%00", "?api=a&api=todo"]
)
def test_a_page_that_is_asked_for_no_contract_there_is_shows_the_first_and_repeats_nothing(
    anonymous: httpx.Client, query: str
):
    response = anonymous.get(f"/docs{query}")

    assert chosen_on(response) == f"/openapi/{CONTRACTS[0].name}.json"
    assert response.text == anonymous.get("/docs").text


def chosen_on(page: httpx.Response) -> str:
    (chosen,) = re.findall(r'data-file="([^"]*)"', page.text)
    return chosen


@pytest.mark.parametrize("page", HTML_PAGES)
def test_the_pages_link_to_each_other(anonymous: httpx.Client, page: str):
    links = {link.partition("?")[0] for link in links_of(anonymous.get(page).text)}

    assert set(HTML_PAGES) <= links


@pytest.mark.parametrize("page", HTML_PAGES)
def test_a_page_runs_no_script_but_this_servers_files(anonymous: httpx.Client, page: str):
    response = anonymous.get(page)

    policy = dict(one.split(" ", 1) for one in response.headers["content-security-policy"].split("; "))
    assert policy.get("script-src", policy["default-src"]) == "'self'"
    assert (policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert response.headers["referrer-policy"] == "same-origin"
    assert re.findall(r"<script(?![^>]* src=)|\son\w+=|javascript:", response.text) == []


@pytest.mark.parametrize("words", list(views.OF_REDOC), ids=lambda words: words[:30])
def test_what_is_written_otherwise_in_redoc_is_there(words: str):
    assert words in (views.REDOC / "js" / "redoc.standalone.js").read_text()


@pytest.mark.parametrize("page", HTML_PAGES)
def test_all_that_a_page_loads_comes_from_this_server(anonymous: httpx.Client, page: str):
    response = anonymous.get(page)

    links = links_of(response.text)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert len(links) >= 4
    assert [link for link in links if not re.match("/([^/]|$)|#", link)] == []
    links = [link for link in links if not link.startswith("#")]
    assert {link: anonymous.get(link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize("file", BROWSER_FILES, ids=lambda file: file.name)
def test_no_page_names_another_host(file: Path):
    text = file.read_text()

    assert re.findall(r"""(?:https?:|wss?:|["'(=\s])//[^\s"')]*""", text) == []
    assert "@import" not in text


@pytest.mark.parametrize(
    ("asset", "media_type"),
    [
        ("/docs/swagger-ui/swagger-ui.css", "text/css"),
        ("/docs/swagger-ui/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui/swagger-ui-standalone-preset.js", "text/javascript"),
        ("/docs/redoc/redoc.standalone.js", "text/javascript"),
        ("/docs/page/docs.js", "text/javascript"),
    ],
)
def test_browsers_take_the_assets_and_need_not_fetch_them_twice(anonymous: httpx.Client, asset: str, media_type: str):
    response = anonymous.get(asset)
    again = anonymous.get(asset, headers={"If-None-Match": response.headers["etag"]})

    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("asset", ["/docs/redoc/redoc.standalone.js", "/docs/swagger-ui/swagger-ui.css"])
def test_a_file_that_has_not_changed_is_answered_without_a_body(
    anonymous: httpx.Client, connect: Callable[[], socket.socket], asset: str
):
    connection, tag = connect(), anonymous.get(asset).headers["etag"]

    connection.sendall(raw_request("GET", asset, f"If-None-Match: {tag}", "Connection: close"))
    with connection.makefile("rb") as stream:
        head, _, body = stream.read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 304 ")
    assert body == b""


def test_the_pages_offer_all_contracts(anonymous: httpx.Client):
    offered = anonymous.get("/docs/contracts.json").json()

    assert [one["url"] for one in offered] == [f"/openapi/{contract.name}.json" for contract in CONTRACTS]
    assert all(anonymous.get(one["url"]).json()["info"]["title"] == one["name"] for one in offered)


def test_every_contract_there_is_is_served():
    assert {file.stem for file in OPENAPI_FOLDER.glob("*.yaml")} == {contract.name for contract in CONTRACTS}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_yaml_is_served_as_it_was_written(anonymous: httpx.Client, contract: Contract):
    response = anonymous.get(f"/openapi/{contract.name}.yaml")

    assert response.content == (OPENAPI_FOLDER / f"{contract.name}.yaml").read_bytes()
    assert response.headers["content-type"] == "application/yaml"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_json_says_the_same_as_the_yaml(anonymous: httpx.Client, contract: Contract):
    response = anonymous.get(f"/openapi/{contract.name}.json")

    written = yaml.safe_load((OPENAPI_FOLDER / f"{contract.name}.yaml").read_text())
    assert response.json() == json.loads(json.dumps(written))
    assert list(response.json()["paths"]) == list(written["paths"])
    assert response.headers["content-type"] == "application/json"


@both
def test_a_living_server_with_its_database_is_ready(anonymous: httpx.Client):
    alive, ready = anonymous.get("/healthz"), anonymous.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)


def test_without_its_database_a_server_is_alive_and_not_ready(anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    def away() -> None:
        raise ConnectionRefusedError("nobody there, at secret-host")

    monkeypatch.setattr(readiness, "ping", away)

    alive, ready = anonymous.get("/healthz"), anonymous.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "secret-host" not in ready.text


@pytest.fixture
def hanging() -> Iterator[Callable[[], None]]:
    """A look at a database that does not answer until the test is over."""
    over = Event()

    def hang() -> None:
        over.wait(HANGS_AFTER)

    yield hang
    over.set()
    if readiness._Look.last is not None:
        readiness._Look.last.result(HANGS_AFTER)


def test_while_its_database_hangs_a_server_says_so_within_two_seconds(
    anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch, hanging: Callable[[], None]
):
    monkeypatch.setattr(readiness, "ping", hanging)

    response = anonymous.get("/readyz")

    assert response.status_code == 503
    assert readiness._Look.last is not None
    assert not readiness._Look.last.done()
    assert views.READY_WITHIN_SECONDS < 2


class Look(Future[None]):
    """A look that ends well as soon as somebody waits for it."""

    def result(self, timeout: float | None = None) -> None:
        if not self.done():
            self.set_result(None)
        return super().result(timeout)


def test_who_asks_during_a_look_shares_it(monkeypatch: pytest.MonkeyPatch, hanging: Callable[[], None]):
    monkeypatch.setattr(readiness, "ping", hanging)
    monkeypatch.setattr(readiness._Look, "last", Look())
    monkeypatch.setattr(readiness._Look, "began", monotonic())

    assert readiness.is_ready(HANGS_AFTER)
