"""Commands that say in one line what keeps them from their work, with exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from db.backups.errors import BackupError
from db.errors import DomainError, Unavailable
from db.schema import SchemaError
from db.sql.faults import reason_of
from environment import SettingError
from language.errors import BadInput
from server.views import ContractError


class Command(click.Command):
    """A command, with one line instead of a traceback for what an operator can do something about."""

    def invoke(self, ctx: click.Context) -> Any:
        """Do what it is for."""
        with refusing():
            return super().invoke(ctx)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


@contextmanager
def refusing() -> Iterator[None]:
    """Raise `ClickException`, with the reason, for whatever settings, database or input do not allow."""
    try:
        yield
    except BadInput as error:
        raise click.ClickException("; ".join(f"{place} {rule}" for place, rule in error.errors)) from error
    except (SettingError, SchemaError, BackupError, ContractError) as error:
        raise click.ClickException(str(error)) from error
    except UnicodeError as error:
        raise click.ClickException("this is no text in UTF-8") from error
    except (DomainError, SQLAlchemyError) as error:
        raise click.ClickException(_reason(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'the database'}: {error.strerror or error}") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, SQLAlchemyError):
        return reason_of(error)
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        return _reason(error.__cause__)
    return str(error)
