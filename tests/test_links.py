"""Links of the contracts: readers, generated documentation and the stateful fuzzer follow them."""

import re

from server.contracts import Contract
from tests.contract_walk import Node, each_contract, operations, responses


@each_contract
def test_links_lead_to_operations_and_their_parameters(contract: Contract):
    parameters = {
        operation["operationId"]: {parameter["name"] for parameter in operation.get("parameters", [])}
        for _, operation in operations(contract)
    }

    wrong = [
        (*place, name)
        for place, response in responses(contract)
        for name, link in response.get("links", {}).items()
        if not link.get("parameters", {}).keys() <= parameters.get(link["operationId"], set())
        or link["operationId"] not in parameters
    ]

    assert wrong == []


@each_contract
def test_what_is_created_leads_to_all_that_is_done_with_it(contract: Contract):
    found = [(place[0], definition) for place, definition in operations(contract)]
    creations = [(path, one) for path, one in found if one["operationId"].startswith("create_")]

    missing = [
        (creation["operationId"], one["operationId"])
        for path, creation in creations
        for other, one in found
        if is_item(other, path) and one["operationId"] not in linked_from(creation)
    ]

    assert missing == []


@each_contract
def test_a_login_leads_to_every_tag_that_needs_its_token(contract: Contract):
    definitions = [definition for _, definition in operations(contract)]
    tags = {one["operationId"]: one["tags"][0] for one in definitions}
    logins = [one for one in definitions if one["operationId"] == "log_in"]

    needing = {one["tags"][0] for one in definitions if one.get("security", contract.document["security"])}

    missing = [needing - {tags[name] for name in linked_from(login)} for login in logins]
    assert not any(missing)


def is_item(path: str, collection: str) -> bool:
    """Check whether a path names one thing of those at another path."""
    return re.fullmatch(re.escape(collection) + r"/\{\w+}", path) is not None


def linked_from(operation: Node) -> set[str]:
    """Name the operations that an operation's answers lead to."""
    answers = operation["responses"].values()
    return {link["operationId"] for answer in answers for link in answer.get("links", {}).values()}
