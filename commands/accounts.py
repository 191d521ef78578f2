"""`account`: the accounts, for whoever runs the server."""

import sys
from datetime import datetime
from time import perf_counter, sleep
from typing import Any
from uuid import UUID

import click
import orjson

import clock
from commands.database import current_database
from commands.refusing import Group
from db.accounts.accounts import find_account
from db.accounts.directory import accounts_called, count_logins, list_accounts
from db.accounts.logins import end_logins
from db.membership import join, leave
from db.sql.engine import autocommit, transaction
from db.sweeping import STEP, count_things, sweep
from language.texts import instant_json
from security.logins import set_password
from security.passwords import hash_for_new_account, refuse_common
from server.contracts import CONTRACTS
from server.validation.schemas import InputSchema

NEW_USER: dict[str, Any] = next(one for one in CONTRACTS if one.name == "fullstack").document["components"]["schemas"][
    "NewUser"
]
"""What a username, an e-mail address and a password can be, in the words of a contract."""

name_of_account = click.argument("name")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")


@click.group(cls=Group)
def account() -> None:
    """See to accounts, their passwords and their logins.

    NAME is a username, an e-mail address, an id or a uuid.
    """


@account.command("list")
@click.argument("search", default="")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@click.option("--after", default=0, metavar="ID", type=click.IntRange(0), help="List those that follow this id.")
@as_json
def print_accounts(search: str, limit: int, after: int, *, as_json: bool) -> None:
    """List accounts by id: id, uuid, created at, username, e-mail address.

    SEARCH is a part of a username or an e-mail address.
    """
    with current_database(), autocommit() as connection:
        found = list_accounts(connection, search=search, after=after, limit=limit + 1)
    for row in found[:limit]:
        shown = _account_json(row)
        members = ("id", "uuid", "created_at", "username", "email")
        click.echo(orjson.dumps(shown) if as_json else "\t".join(str(shown[one]) for one in members))
    if len(found) > limit:
        click.echo(f"There are more: --after {found[limit - 1].id}", err=True)


@account.command()
@name_of_account
@as_json
def show(name: str, *, as_json: bool) -> None:
    """Show an account and how many logins of it stand."""
    with current_database(), autocommit() as connection:
        row = _account_called(connection, name)
        shown = _account_json(row) | {"logins": count_logins(connection, row.id, at=clock.now())}
    click.echo(orjson.dumps(shown) if as_json else "\n".join(f"{one:<10}  {value}" for one, value in shown.items()))


@account.command()
@click.argument("username")
@click.argument("email")
@from_stdin
def create(username: str, email: str, *, password_stdin: bool) -> None:
    """Create an account. The password is asked for, or read from stdin."""
    with current_database():
        names = {"username": username, "email": email}
        password = _new_password(from_stdin=password_stdin)
        InputSchema(NEW_USER).read({**names, "password": password})
        refuse_common(password)
        password_hash = hash_for_new_account(password, **names)
        with transaction() as session:
            made = join(session, **names, password_hash=password_hash, at=clock.now())
    click.echo(f"Account {made.id} ({made.uuid}) is made.")


@account.command("set-password")
@name_of_account
@from_stdin
def give_password(name: str, *, password_stdin: bool) -> None:
    """Set the password, for somebody who is locked out.

    All logins of the account end, and its wrong attempts are forgotten. The password is asked for, or read from stdin.
    """
    with current_database():
        with autocommit() as connection:
            row = _account_called(connection, name)
        password = _new_password(from_stdin=password_stdin)
        InputSchema(NEW_USER["properties"]["password"]).read(password, within="password")
        refuse_common(password)
        ended = set_password(row.id, password, at=clock.now())
    click.echo(f"The password of {row.username} is set; {ended} logins ended.")


@account.command("end-logins")
@name_of_account
def end_all_logins(name: str) -> None:
    """End all logins of an account: none of its tokens counts any more."""
    with current_database(), transaction() as session:
        row = _account_called(session.connection(), name)
        find_account(session, row.id)
        ended = end_logins(session, account_id=row.id, at=clock.now())
    click.echo(f"{ended} logins of {row.username} ended.")


@account.command()
@name_of_account
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, *, yes: bool) -> None:
    """Delete an account and all that belongs to it, in short steps beside the requests of others."""
    with current_database():
        with autocommit() as connection:
            row = _account_called(connection, name)
            things = count_things(connection, row.id)
        if not yes:
            whose = f"{row.username} <{row.email}>, id {row.id}"
            click.confirm(f"Delete the account of {whose}, with {things} things of it?", abort=True)
        with transaction() as session:
            leave(session, row.id)
        _sweep_all(things)
    click.echo(f"The account of {row.username} is deleted.")


def _account_called(connection: Any, name: str) -> Any:
    found = accounts_called(connection, name)
    if not found:
        raise click.ClickException("no account has this name")
    if len(found) > 1:
        raise click.ClickException("two accounts are called so, one by a name and one by its id; use an e-mail address")
    return found[0]


def _new_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt="The same again")


def _sweep_all(things: int) -> None:
    with click.progressbar(length=things, label="Deleting") as bar:
        while True:
            began = perf_counter()
            if not sweep():
                break
            bar.update(STEP)
            sleep(perf_counter() - began)


def _account_json(row: Any) -> dict[str, int | str | UUID | datetime]:
    return {
        "id": row.id,
        "uuid": str(row.uuid),
        "username": row.username,
        "email": row.email,
        "created_at": instant_json(row.created_at),
        "updated_at": instant_json(row.updated_at),
    }
