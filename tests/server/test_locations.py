from collections.abc import Callable
from typing import Any

import pytest

from server.answers.locations import locator
from server.contracts import Contract
from server.views import ContractError
from tests.conftest import once
from tests.server.made_contracts import operation, serving

READ: dict[str, Any] = {"get": {"operationId": "read_thing"}, "delete": {"operationId": "delete_thing"}}
PATHS: dict[str, Any] = {"/things": {"get": {"operationId": "list_things"}}, "/shelves/{shelf}/{thing_id}": READ}
IDS = {"shelf": "$response.body#/shelf", "thing_id": "$response.body#/id"}


def link(name: str, **parameters: str) -> dict[str, Any]:
    return {"operationId": name, "parameters": parameters}


def test_a_location_is_where_the_first_link_to_a_get_leads():
    links = {"Delete": link("delete_thing"), "Read": link("read_thing", **IDS), "List": link("list_things")}

    write = locator(links, PATHS, "/made")

    assert write is not None
    assert write({"id": 7, "shelf": "cook books/2"}) == (b"location", b"/made/shelves/cook%20books%2F2/7")


@pytest.mark.parametrize(
    "links",
    [
        {},
        {"Delete": link("delete_thing", **IDS)},
        {"Read": link("read_thing", thing_id="$response.body#/id")},
        {"Read": link("read_thing", thing_id="$response.body#/id", shelf="$request.path.shelf")},
    ],
    ids=["no link", "no link to a GET", "a parameter missing", "a parameter from elsewhere"],
)
def test_without_a_link_that_says_all_there_is_no_location(links: dict[str, Any]):
    assert locator(links, PATHS, "/made") is None


@once
def test_a_location_that_no_link_leads_to_keeps_the_server_from_starting(
    new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch
):
    header = {"Location": {"schema": {"type": "string", "maxLength": 200}}}
    responses = {"201": {"description": "The thing.", "headers": header}}
    contract = new_contract("lost", {"/things": {"post": {**operation("make_thing"), "responses": responses}}})

    with pytest.raises(ContractError, match="make_thing has a Location, but no link that leads there"):
        serving(monkeypatch, contract)
