"""Usernames and e-mail addresses, at every door where an account gets one."""

from collections.abc import Callable
from itertools import count

import httpx
import pytest

from db.errors import Duplicate
from language.errors import BadInput
from tests.conftest import PASSWORD, Person, once
from tests.look_alikes import decomposed, full_width
from tests.operations import Operation, bearer, code_of, for_each, kept_of, request_of

numbers = count(1)

SAME_NAMES = {
    "capitals": ("maya{}", "MAYA{}"),
    "full width": ("maya{}", full_width("maya") + "{}"),
    "full-width digits": ("maya1{}", "maya" + full_width("1") + "{}"),
    "half width": ("ガ{}", "\N{HALFWIDTH KATAKANA LETTER KA}\N{HALFWIDTH KATAKANA VOICED SOUND MARK}{}"),
    "decomposed": ("Renée{}", decomposed("Renée{}")),
    "compatible": ("Åsa{}", "\N{ANGSTROM SIGN}sa{}"),
    "sharp s": ("Strauß{}", "STRAUSS{}"),
    "final sigma": ("Μίλος {}", "ΜΊΛΟΣ {}"),
    "joined": ("क्ष{}", "क्\N{ZERO WIDTH JOINER}ष{}"),
    "not joined": ("क्ष{}", "क्\N{ZERO WIDTH NON-JOINER}ष{}"),
    "two words": ("maya lindqvist{}", "Maya Lindqvist{}"),
}
NO_NAMES = [
    "ma\N{ZERO WIDTH SPACE}ya",
    "ma\N{ZERO WIDTH JOINER}ya",
    "ma\N{WORD JOINER}ya",
    "ma\N{SOFT HYPHEN}ya",
    "ma\N{COMBINING GRAPHEME JOINER}ya",
    "maya\N{VARIATION SELECTOR-16}",
    "\N{ZERO WIDTH NO-BREAK SPACE}maya",
    "maya\N{RIGHT-TO-LEFT MARK}",
    "\N{RIGHT-TO-LEFT OVERRIDE}ayam",
    "\N{LEFT-TO-RIGHT ISOLATE}maya\N{POP DIRECTIONAL ISOLATE}",
    "maya\N{TAG LATIN SMALL LETTER A}",
    "\N{HANGUL FILLER}",
    "\N{BRAILLE PATTERN BLANK}",
    "maya\N{MONGOLIAN VOWEL SEPARATOR}",
    "maya\N{NO-BREAK SPACE}lindqvist",
    "maya\N{IDEOGRAPHIC SPACE}lindqvist",
    " maya",
    "maya ",
    "maya  lindqvist",
    "maya\tlindqvist",
    "maya\n",
    "ma\0ya",
    "maya@lindqvist",
    f"maya{full_width('@')}lindqvist",
    "\N{MATHEMATICAL BOLD SMALL M}aya",
    "\N{LATIN SMALL LIGATURE FI}ona",
    "\N{CIRCLED LATIN SMALL LETTER M}aya",
    "מaya",
    "maya🙂",
    "",
    "a" * 65,
]
SAME_ADDRESSES = {
    "capitals": ("maya{}@mail.example", "MAYA{}@MAIL.EXAMPLE"),
    "white space around it": ("maya{}@mail.example", " maya{}@mail.example\t"),
    "decomposed": ("renée{}@mail.example", decomposed("renée{}@mail.example")),
    "ASCII for the domain": ("maya{}@müller.example", "maya{}@xn--mller-kva.example"),
    "full-width domain": ("maya{}@mail.example", "maya{}@" + full_width("mail") + ".example"),
    "full-width name": ("maya{}@mail.example", full_width("maya") + "{}@mail.example"),
    "filler": ("maya{}@mail.example", "ma\N{HANGUL FILLER}ya{}@mail.example"),
}
NO_ADDRESSES = [
    "maya",
    "maya@",
    "maya@example",
    "maya@@mail.example",
    "maya..l@mail.example",
    "ma\N{ZERO WIDTH SPACE}ya@mail.example",
    "maya@ma\N{SOFT HYPHEN}il.example",
    "maya\N{RIGHT-TO-LEFT MARK}@mail.example",
    f"maya{full_width('@')}mail.example",
    "Maya <maya@mail.example>",
    "maya@[127.0.0.1]",
    "maya@mail.example\0",
    "a@" + "b" * 64 + ".example",
    "a" * 250 + "@mail.example",
]

takes_a_name = for_each(lambda operation: {"username", "email"} <= set(operation.members) and operation.id != "log_in")
registers = for_each(lambda operation: operation.id == "register")
logs_in = for_each(lambda operation: operation.id == "log_in")


ALIKE = [("username", *pair) for pair in SAME_NAMES.values()] + [("email", *pair) for pair in SAME_ADDRESSES.values()]


@once
@takes_a_name
@pytest.mark.parametrize(("member", "first", "second"), ALIKE, ids=[*SAME_NAMES, *SAME_ADDRESSES])
def test_of_two_names_that_are_the_same_one_is_taken(
    operation: Operation, new_person: Callable[..., Person], member: str, first: str, second: str
):
    number = next(numbers)

    given = claim(operation, new_person(), **{member: first.format(number)})
    refused = claim(operation, new_person(), **{member: second.format(number)})

    assert given.status_code == operation.success
    assert first.format(number) in given.text
    assert code_of(refused) == (operation.contract.status_of(Duplicate), f"{member}_taken")


@once
@takes_a_name
@pytest.mark.parametrize(("member", "impossible"), [("username", NO_NAMES), ("email", NO_ADDRESSES)])
def test_what_cannot_be_a_name_is_bad_input(operation: Operation, person: Person, member: str, impossible: list[str]):
    before = kept_of(person)

    answers = {name: claim(operation, person, **{member: name}) for name in impossible}

    refused = (operation.contract.status_of(BadInput), "bad_input")
    assert {ascii(name): code_of(answer) for name, answer in answers.items()} == {
        ascii(name): refused for name in impossible
    }
    assert [ascii(name) for name, answer in answers.items() if name and name in answer.text] == []
    assert kept_of(person) == before


@once
@logs_in
def test_nobody_logs_in_by_what_cannot_be_a_name(operation: Operation, person: Person):
    member = "username" if "username" in operation.members else "email"
    names = [name for name in (*NO_NAMES, *NO_ADDRESSES) if name.strip() not in {"", "maya"}]
    names = [name for name in names if "\0" not in name and len(name) <= 254]

    answers = {ascii(name): send(operation, person, **{member: name}) for name in names}

    assert {name: code_of(answer) for name, answer in answers.items()} == dict.fromkeys(
        map(ascii, names), (401, "invalid_credentials")
    )


@logs_in
def test_a_name_logs_in_however_it_is_written(operation: Operation, person: Person):
    member = "username" if "username" in operation.members else "email"
    written = (str.upper, full_width if member == "username" else str.title, " {} ".format)

    answers = [send(operation, person, **{member: write(getattr(person, member))}) for write in written]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@registers
@pytest.mark.parametrize("name", ["{}", "{}ß", "{}" + "x" * 63, "{} Jose\N{COMBINING ACUTE ACCENT}"])
@pytest.mark.parametrize("account", ["/v1/users/me", "/api/users/me"])
def test_an_account_of_any_door_as_it_is_shown_can_be_sent_back(
    operation: Operation, anonymous: httpx.Client, name: str, account: str
):
    names = {"username": name.format(chr(0x4E00 + next(numbers))), "email": f"用户{next(numbers)}@MÜLLER.example"}
    anonymous.post(operation.contract.base_path + "/auth/register", json={**names, "password": PASSWORD})
    login = anonymous.post("/v1/auth/login", json={"username": names["email"], "password": PASSWORD}).json()
    signed_in = bearer(login["access_token"])
    shown = anonymous.get(account, headers=signed_in).json()

    response = anonymous.put(account, json=shown, headers=signed_in)

    assert (response.status_code, response.json()) == (200, shown)
    assert shown == {**shown, **names}


def claim(operation: Operation, person: Person, **names: str) -> httpx.Response:
    """Ask for a username or an e-mail address, with nothing else changed in an account that exists."""
    if operation.id == "register":
        return send(operation, person, **names)
    request = request_of(operation, person)
    request["json"] = names
    return person.client.request(**request)


def send(operation: Operation, person: Person, **members: str) -> httpx.Response:
    """Send a request with these members in its body."""
    request = request_of(operation, person)
    request["json"] |= members
    return person.client.request(**request)
