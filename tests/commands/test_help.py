"""Each command has a help of its own."""

from collections.abc import Iterator

import click
import pytest

from commands import COMMANDS
from tests.commands.conftest import Run


def with_subcommands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    names = (*path, str(command.name))
    yield names, command
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from with_subcommands(one, *names)


ALL = dict(found for command in COMMANDS for found in with_subcommands(command))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_command_explains_itself_and_all_its_options(run: Run, path: tuple[str, ...]):
    shown = run(*path, "--help")

    options = [one for one in ALL[path].params if isinstance(one, click.Option)]
    assert shown.exit_code == 0
    assert (ALL[path].help or "").split("\n")[0].endswith(".")
    assert [one.name for one in options if not one.help] == []
