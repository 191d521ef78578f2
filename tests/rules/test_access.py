"""The access matrix: every operation, whoever asks, and whosever thing it is asked for.

It is made from the contracts, so an operation joins it on the day on which it is written.
"""

import re
from collections.abc import Callable
from uuid import uuid4

import httpx

from db.errors import NotYours
from language.errors import BadInput
from settings import ROOT
from tests.conftest import Person
from tests.operations import NOT_OWNED, OPERATIONS, Operation, code_of, for_each, request_of
from tests.rules.callers import DOORS, Door, doors_of, for_each_door, refused_tokens
from tests.rules.references import MAKERS, REFERENCES, Reference, for_each_reference, identifiers
from tests.rules.texts import TEXTS
from tests.rules.writes import watched_database

NewPerson = Callable[[], Person]


def test_only_registering_and_logging_in_take_no_token():
    open_to_all = {operation.id for operation in OPERATIONS if not doors_of(operation)}

    assert open_to_all == {"register", "log_in"}


def test_every_id_that_a_request_may_hold_is_in_the_matrix():
    in_paths = {(one.id, name) for one in OPERATIONS for name in one.parameters}
    elsewhere = {name for operation in OPERATIONS for name, _ in identifiers(operation)}

    known = {(one.id, name) for one in OPERATIONS for name in (one.item, one.path_user) if name is not None}
    assert in_paths - known == NOT_OWNED
    assert elsewhere == MAKERS.keys()


@for_each_door
def test_only_a_token_that_counts_lets_a_request_in(
    door: Door, new_person: NewPerson, anonymous: httpx.Client, database_url: str
):
    person, gone = new_person(), new_person()
    request = request_of(door.operation, person)
    tokens = refused_tokens(door, person, gone)
    gone.close_account()

    with watched_database(database_url) as was_written:
        answers = {name: anonymous.request(**door.parts(request, token)) for name, (token, _) in tokens.items()}
        assert not was_written()

    codes = {name: code_of(answer) for name, answer in answers.items()}
    challenges = {name: challenge_of(answer) for name, answer in answers.items() if answer.status_code == 401}
    assert codes == {name: expected for name, (_, expected) in tokens.items()}
    assert challenges == {name: None if name == "none" else "invalid_token" for name in challenges}
    assert anonymous.request(**door.parts(request, door.key_of(person))).status_code == door.operation.success


@for_each_reference
def test_a_thing_is_there_for_its_owner_alone(reference: Reference, new_person: NewPerson, database_url: str):
    owner, other = new_person(), new_person()
    own, foreign = reference.make(owner), reference.make(other)
    things = [foreign, reference.nothing(), *reference.malformed()]
    requests = [reference.request(owner, thing) for thing in things]
    success = reference.request(owner, own)

    with watched_database(database_url) as was_written:
        theirs, unknown, *malformed = [code_of(owner.client.request(**request)) for request in requests]
        assert not was_written()
        assert owner.client.request(**success).status_code == reference.operation.success
        assert was_written() == (reference.operation.method != "GET")

    contract = reference.operation.contract
    assert is_refusal(theirs, contract.status_of(NotYours))
    assert is_refusal(unknown, 404)
    no_id = (404, "not_found") if reference.place == "path" else (contract.status_of(BadInput), "bad_input")
    assert malformed == [no_id] * len(malformed)


@for_each(lambda operation: operation.path_user)
def test_the_account_in_a_path_is_the_callers(operation: Operation, new_person: NewPerson, database_url: str):
    person, other = new_person(), new_person()
    request, theirs = request_of(operation, person), request_of(operation, other)
    foreign = [theirs["url"].replace(other.uuid, str(one)) for one in (other.uuid, other.uuid.upper(), other.id)]
    nobodys = [request["url"].replace(person.uuid, one) for one in (str(uuid4()), "9223372036854775807", "abc")]

    with watched_database(database_url) as was_written:
        codes = {code_of(person.client.request(**request | {"url": url})) for url in [*foreign, *nobodys]}
        assert not was_written()
        numbered = request["url"].replace(person.uuid, str(person.id))
        assert person.client.request(**request | {"url": numbered}).status_code == operation.success
        assert was_written() == (operation.method != "GET")

    assert codes == {(403, "forbidden")}


def test_the_documentation_tells_the_size_of_the_matrix():
    told = re.sub(r"\s+", " ", (ROOT / "docs" / "security.md").read_text())

    doors = [door for door in DOORS if door.operation.contract.name in TEXTS]
    references = [one for one in REFERENCES if one.operation.contract.name in TEXTS]
    operations = len({(door.operation.method, door.operation.path) for door in doors})
    assert f"{operations} operations that take a token, in {len(doors)} places" in told
    assert f"{len(references)} places where a request names a thing" in told


def challenge_of(answer: httpx.Response) -> str | None:
    """Return what a 401 says is wrong with the token; None where it only asks for one (RFC 6750, section 3.1)."""
    challenge = re.fullmatch(r'Bearer realm="quintet"(?:, error="(\w+)".*)?', answer.headers["WWW-Authenticate"])
    assert challenge is not None
    return challenge[1]


def is_refusal(code: tuple[int, str | None], status: int) -> bool:
    """Check the status of a refused thing, and that its code says as much."""
    return code[0] == status and (code[1] or "").endswith("forbidden" if status == 403 else "_not_found")
