"""What schemathesis has to be told beyond the contracts: who asks, with which token, and what exists already.

It loads this module by the name in `schemathesis.toml`, in a process of its own beside the server. `DATABASE_URL` and
`JWT_SECRET_KEY` have to be the server's.
"""

import json
import re
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any
from uuid import uuid4
from zlib import crc32
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies
from hypothesis.control import current_build_context
from hypothesis.internal.conjecture.data import ConjectureData
from schemathesis import AuthContext, Case, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.resources import repository
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.wfc.escalation import EscalatingAuthProvider
from sqlalchemy import select

import clock
from db.accounts.accounts import account_named
from db.accounts.login_attempts import WINDOW, forget_old_attempts
from db.sql.engine import autocommit, connect, transaction
from db.tasks.categories import Category
from language.formats import FORMATS, PASSWORD_BYTES
from language.texts import trimmed
from names import email_key, username_key
from security.errors import WeakPassword
from security.passwords import refuse_common
from security.tokens import SigningKey, sign_with
from settings import read_settings
from tests.fuzz.people import PASSWORD, Person, new_person

SPENT = {"change_password", "delete_me", "log_out", "log_out_refresh", "refresh"}
"""Operations that may end the token, the login or the account of their caller: each case has a person of its own."""

MAY_BE_EMPTY = {"due_date", "end_date", "date_achieved", "start_date", "target_date"}
"""Members for which an empty text means null (`x-empty-is-null`), though their format, which generators make types of,
does not allow one."""

SHARED = {"read_user"}
"""Operations that show every account what is somebody else's, as their contract says."""

NAMES = {"username", "email", "name"}
"""Members that have to be new, on the whole server or within an account."""

FIRST_CHARACTERS = range(0x21, 0x590)
"""Latin, Greek, Cyrillic, Armenian: enough of what a username may hold. Scripts from right to left come next."""

settings = read_settings()
connect(settings.database_url)
sign_with(
    SigningKey(settings.jwt_secret_key, settings.jwt_algorithm, settings.access_lifetime, settings.refresh_lifetime)
)
# Every fourth time the repository of known values also gives the examples, so that the same draws see other values.
# Hypothesis calls that inconsistent, and the stateful phase ends early. Given every time, they are no surprise.
repository.EXAMPLE_DRAW_PERIOD = 1
# Of a list to choose from, each filtered draw would look at all six hundred: a third of the whole time.
zones = sorted(available_timezones())
schemathesis.openapi.format("timezone", strategies.integers(0, len(zones) - 1).map(zones.__getitem__))


def is_read_by(key_of: Callable[[str], str], text: str) -> bool:
    """Check whether a text can be a name, or a password."""
    try:
        return bool(key_of(text))
    except ValueError:
        return False


is_username, is_email = partial(is_read_by, username_key), partial(is_read_by, email_key)
is_strong = partial(is_read_by, FORMATS["strong-password"].parse)
letters = strategies.sampled_from([chr(one) for one in FIRST_CHARACTERS if is_username(chr(one))])
schemathesis.openapi.format("username", strategies.text(letters, min_size=1, max_size=64).filter(is_username))
# Schemathesis takes the prefix of an encoded label for one in lower case alone, RFC 5890 in either case.
emails = strategies.emails().filter(is_email).map(partial(re.compile("xn--", re.IGNORECASE).sub, "xn--"))
schemathesis.openapi.format("email", emails)
any_character = strategies.characters(exclude_categories=["Cs"], exclude_characters="\0")
others = strategies.text(any_character, min_size=5, max_size=200)
uppercase, digits = strategies.characters(categories=["Lu"]), strategies.characters(categories=["Nd"])
symbols = strategies.characters(categories=["P", "S"])
schemathesis.openapi.format("strong-password", strategies.tuples(others, uppercase, digits, symbols).map("".join))

names_of_things: set[str] = set()


def owner(case: Case) -> Person:
    """Return the person who makes and owns things: one for all cases, but a new one for each scenario of several steps.

    Where lists begin with what other scenarios left, the same steps get other answers when they are taken again.
    Hypothesis then calls its own data inconsistent, and the stateful phase ends early.
    """
    return owner_in(current_build_context().data) if is_step(case) else owner_of_all()


@lru_cache(1)
def owner_in(_scenario: ConjectureData) -> Person:
    return new_person()


@cache
def owner_of_all() -> Person:
    return new_person()


@cache
def stranger() -> Person:
    """Return the person who owns nothing."""
    return new_person()


@cache
def known() -> Person:
    """Return the person who logs in; no operation ever changes their name or password."""
    return new_person()


class TokenOf:
    """Gives each case the kind of token that its operation's security scheme asks for."""

    def __init__(self, caller: Callable[[Case], Person]) -> None:
        self.caller = caller

    def get(self, case: Case, context: AuthContext) -> tuple[dict[str, Any], str] | None:
        schemes = schemes_of(context.operation)
        if not schemes:
            return None
        scheme = schemes[choice_of(case) % len(schemes)]
        person = new_person() if operation_id(context.operation) in SPENT else self.caller(case)
        return scheme, person.token(scheme["x-token"])

    def set(self, case: Case, data: tuple[dict[str, Any], str], _context: AuthContext) -> None:
        scheme, token = data
        if scheme["type"] == "http":
            case.headers["Authorization"] = f"Bearer {token}"
        else:
            case.cookies[scheme["name"]] = token
        if operation_id(case.operation) in SHARED:
            # What nobody has to keep from others has no owner for the check of object-level authorization.
            case._auth_identity = None


@schemathesis.hook
def after_load_schema(context: HookContext, schema: BaseSchema) -> None:
    """Sign everything for one person, and let another try to read what is the first one's.

    The check `object_level_authorization` needs the second. Configured in the documented way, as "Web Fuzzing Commons"
    authentication, each of them would have one fixed token for all operations.
    """
    tokens: list[Any] = [TokenOf(owner), TokenOf(lambda _case: stranger())]
    names = ["owner", "stranger"]
    schema.auth.providers.append(EscalatingAuthProvider(tokens, names, peers=("owner", "stranger"), pinned="owner"))


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Leave out valid cases with something in them that is not allowed, and invalid ones with something that is.

    No schema can say either.
    """
    members = case.body.items() if isinstance(case.body, dict) else ()
    if is_negative_at(case, ParameterLocation.BODY):
        return not has_empty_date(case.body)
    allows = is_strong if takes_strong_passwords(case.operation) else is_allowed_password
    return all(is_allowed(name, value, allows) for name, value in members)


def has_empty_date(body: object) -> bool:
    """Check whether an empty text stands where it means null."""
    members = body.items() if isinstance(body, dict) else ()
    return any((name in MAY_BE_EMPTY and value == "") or has_empty_date(value) for name, value in members)


def is_allowed(name: str, value: object, is_password: Callable[[str], bool]) -> bool:
    """Check whether preferences hold no NUL, and a password is one."""
    if name == "preferences":
        return "\\u0000" not in json.dumps(value)
    return "password" not in name or not isinstance(value, str) or is_password(value)


def takes_strong_passwords(operation: APIOperation) -> bool:
    """Check whether an operation sets a password of the format that texts at the bounds of a length are not made by."""
    chosen = operation.schema.raw_schema["components"]["schemas"].get("NewPassword", {})
    return chosen.get("format") == "strong-password" and operation_id(operation) in {"register", "change_password"}


def is_allowed_password(password: str) -> bool:
    """Check whether a password is neither common nor too long in bytes."""
    return len(password.encode(errors="surrogatepass")) <= PASSWORD_BYTES and not is_common(password)


def is_common(password: str) -> bool:
    try:
        refuse_common(password)
    except WeakPassword:
        return True
    return False


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Put into a case what no schema can say: ids, names and passwords that exist, and names that do not yet."""
    if is_step(case):
        # A sixth attempt to log in would get another answer than the same five before it (see `owner`).
        with transaction() as session:
            forget_old_attempts(session, at=clock.now() + WINDOW)
    if not is_negative_at(case, ParameterLocation.PATH):
        case.path_parameters.update(dict.fromkeys(path_users(case.operation), str(owner(case).account.uuid)))
    if isinstance(case.body, dict):
        if not is_negative_at(case, ParameterLocation.BODY):
            case.body.update(known_members(case, case.body))
        names_of_things.update(names_in(case.body))


def names_in(body: dict[str, Any]) -> set[str]:
    """Collect the names of things that a body may bring into being: its own, and those of tags."""
    tags = body.get("tags")
    named = [tag.get("name") if isinstance(tag, dict) else tag for tag in (tags if isinstance(tags, list) else [])]
    names = [body.get("name"), *named]
    return {trimmed(name).casefold() for name in names if isinstance(name, str)}


def known_members(case: Case, body: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a body that have to be known, or new, for it to succeed."""
    members: dict[str, Any] = {}
    match operation_id(case.operation):
        case "register" | "update_me" | "create_category" | "update_category" | "create_tag" | "update_tag":
            members = {name: new_name(name) for name in NAMES & body.keys() if is_taken(name, body[name])}
        case "log_in" if choice_of(case) % 2:
            members = {"email": known().account.email, "username": known().account.username, "password": PASSWORD}
        case "refresh":
            members = {"refresh_token": new_person().token("refresh")}
        case "change_password":
            members = {"current_password": PASSWORD}
        case "create_task" | "update_task" if is_step(case):
            # A category of an earlier step may be deleted by now: a 404, though not for the task in the path.
            members = {"category_id": own_category(case, body.get("category_id"))}
    return {name: value for name, value in members.items() if name in body}


def own_category(case: Case, category_id: object) -> int | None:
    """Keep the id of a category that the caller has; no category stands for any other."""
    own = select(Category.id).where(Category.account_id == owner(case).account.id)
    with autocommit() as connection:
        return next((known for known in connection.scalars(own) if known == category_id), None)


def is_taken(member: str, name: object) -> bool:
    """Check whether an account has a name or address; or, of other things, whether a case before this one had it."""
    if not isinstance(name, str):
        return False
    if member == "name":
        return trimmed(name).casefold() in names_of_things
    with autocommit() as connection:
        return account_named(connection, name) is not None


def new_name(member: str) -> str:
    """Make a name that nobody has."""
    name = uuid4().hex
    return f"{name}@quintet.example" if member == "email" else name


def choice_of(case: Case) -> int:
    """Choose by what was drawn, so that the same case chooses the same again; in a step ids and names may differ."""
    drawn = current_build_context().data.choices if is_step(case) else (case.path_parameters, case.query, case.body)
    return crc32(repr(drawn).encode(errors="surrogatepass"))


def is_step(case: Case) -> bool:
    """Check whether a case belongs to a scenario of several steps."""
    return case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL


def is_negative_at(case: Case, location: ParameterLocation) -> bool:
    """Check whether a part of a case is meant to be refused."""
    return case.meta is not None and case.meta.is_negative_at(location)


def operation_id(operation: APIOperation) -> str:
    return operation.definition.raw["operationId"]


def schemes_of(operation: APIOperation) -> list[dict[str, Any]]:
    """List the security schemes by any of which an operation lets callers in."""
    document = operation.schema.raw_schema
    requirements = operation.definition.raw.get("security", document["security"])
    return [document["components"]["securitySchemes"][name] for one in requirements for name in one]


def path_users(operation: APIOperation) -> list[str]:
    """Name the path parameters that have to be the caller's id."""
    return [scheme["x-path-user"] for scheme in schemes_of(operation) if "x-path-user" in scheme]
