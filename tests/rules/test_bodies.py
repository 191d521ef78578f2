"""Bodies that no operation takes, over all operations that take one."""

import json

from language.errors import BadInput, Unparsable
from server.validation.reading import MOST_BYTES, MOST_BYTES_WITHOUT_TOKEN
from tests.conftest import Person, once
from tests.operations import Operation, code_of, for_each, kept_of, request_of

NO_JSON = {
    "cut": b"{",
    "no value": b'{"title"}',
    "two texts": b"{}{}",
    "one name twice": b'{"a": 1, "a": 2}',
    "not a number": b'{"a": NaN}',
    "a number past all numbers": b'{"a": 1e400}',
    "5,000 digits": b'{"a": %b}' % (b"9" * 5000),
    "a raw tab": b'{"a": "\t"}',
    "no UTF-8": b'{"a": "\xff"}',
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "5,000 levels": b"[" * 5_000 + b"]" * 5_000,
}
HALF_PAIRS = [rb'{"a": "\ud800"}', rb'{"a": "\udc00"}', rb'{"a": "\ude00\ud83d"}', rb'{"\ud800": 1}']
NO_OBJECTS = [b"null", b"[]", b'"title"', b"7", b"true"]
OTHER_TYPES = [1.5, "NUL \0 within", [[]], {"x": "x"}]
OTHER_MEDIA_TYPES = [
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin-1",
    "",
]

takes_body = for_each(lambda operation: operation.members)


def answers_to(operation: Operation, person: Person, bodies: list[bytes]) -> list[tuple[int, str | None]]:
    """Send bodies as JSON in the place of a good one; nothing may change by them."""
    request = request_of(operation, person)
    del request["json"]
    request["headers"] = request.get("headers", {}) | {"Content-Type": "application/json"}
    before = kept_of(person)
    codes = [code_of(person.client.request(**request, content=body)) for body in bodies]
    assert kept_of(person) == before
    return codes


@once
@takes_body
def test_a_body_that_is_no_json_is_told_so(operation: Operation, person: Person):
    codes = answers_to(operation, person, list(NO_JSON.values()))

    refused = dict.fromkeys(NO_JSON, (operation.contract.status_of(Unparsable), "malformed_json"))
    assert dict(zip(NO_JSON, codes, strict=True)) == refused


@once
@takes_body
def test_half_a_surrogate_pair_is_bad_input(operation: Operation, person: Person):
    codes = answers_to(operation, person, HALF_PAIRS)

    assert codes == [(operation.contract.status_of(BadInput), "malformed_json")] * len(HALF_PAIRS)


@once
@takes_body
def test_a_body_that_is_no_object_is_bad_input(operation: Operation, person: Person):
    codes = answers_to(operation, person, NO_OBJECTS)

    assert codes == [(operation.contract.status_of(BadInput), "bad_input")] * len(NO_OBJECTS)


@once
@for_each(lambda operation: operation.needs_body)
def test_a_body_that_is_needed_cannot_be_left_out(operation: Operation, person: Person):
    assert answers_to(operation, person, [b""]) == [(operation.contract.status_of(BadInput), "bad_input")]


@for_each(lambda operation: operation.members and not operation.needs_body and operation.token)
def test_a_body_that_is_not_needed_can_be_left_out(operation: Operation, person: Person):
    request = request_of(operation, person)
    del request["json"]

    bare = person.client.request(**request)
    request["headers"]["Content-Type"] = "application/json"
    typed = person.client.request(**request)

    assert (bare.status_code, typed.status_code) == (operation.success, operation.success)


@once
@takes_body
def test_a_body_of_more_than_1_mib_is_too_large(operation: Operation, person: Person):
    assert answers_to(operation, person, [b" " * (MOST_BYTES + 1)]) == [(413, "payload_too_large")]


@once
@for_each(lambda operation: operation.members and operation.token is None)
def test_a_body_without_a_token_has_at_most_16_kib(operation: Operation, person: Person):
    largest = b" " * (MOST_BYTES_WITHOUT_TOKEN - 3) + b"[7]"

    codes = answers_to(operation, person, [largest, b" " + largest])

    assert codes == [(operation.contract.status_of(BadInput), "bad_input"), (413, "payload_too_large")]


@once
@takes_body
def test_a_body_of_another_media_type_is_refused(operation: Operation, person: Person):
    request = request_of(operation, person)
    token = request.pop("headers", {})

    codes = {
        media_type: code_of(person.client.request(**request, headers=token | {"Content-Type": media_type}))
        for media_type in OTHER_MEDIA_TYPES
    }

    assert codes == dict.fromkeys(OTHER_MEDIA_TYPES, (415, "unsupported_media_type"))


@once
@takes_body
def test_members_of_other_types_are_bad_input(operation: Operation, person: Person):
    bodies = [json.dumps(dict.fromkeys(operation.members, value)).encode() for value in OTHER_TYPES]

    codes = answers_to(operation, person, bodies)

    assert codes == [(operation.contract.status_of(BadInput), "bad_input")] * len(OTHER_TYPES)


@once
@for_each(lambda operation: operation.schema.get("required"))
def test_each_member_that_is_needed_is_asked_for(operation: Operation, person: Person):
    request = request_of(operation, person)
    request["json"] = {"unknown": 1}

    response = person.client.request(**request)

    assert code_of(response) == (operation.contract.status_of(BadInput), "bad_input")
    assert [one for one in operation.schema["required"] if f"{one} is required" not in response.text] == []


@for_each(lambda operation: operation.schema.get("required"))
def test_what_is_not_needed_may_be_left_out(operation: Operation, person: Person):
    request = request_of(operation, person)
    request["json"] = {member: request["json"][member] for member in operation.schema["required"]}

    response = person.client.request(**request)

    assert response.status_code == operation.success


@takes_body
def test_unknown_members_are_ignored(operation: Operation, person: Person):
    request = request_of(operation, person)
    request["json"] |= {"unknown": {"deep": [1, None, "Xyzzy"]}, "": "Xyzzy", "Title": 7, "number": 10**300}

    response = person.client.request(**request)

    assert response.status_code == operation.success
    assert "Xyzzy" not in response.text
    assert "Xyzzy" not in str(kept_of(person))
