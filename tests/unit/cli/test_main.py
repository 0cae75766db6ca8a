"""The command line as a whole."""

from typing import Any

import pytest
import typer

from grpc_operator import __version__
from grpc_operator.cli.main import COMMANDS, command
from tests.unit.cli import run

NAMES = [name for names in COMMANDS.values() for name in names]


def test_help_has_every_command() -> None:
    """With what it does."""
    ran = run("--help")

    assert ran.code == 0
    for name in NAMES:
        assert f"\n  {name} " in ran.out


@pytest.mark.parametrize("name", NAMES)
def test_a_command_says_what_it_does(name: str) -> None:
    """In one sentence, which the list of commands shows whole."""
    summary = command(name).get_short_help_str(limit=100)

    assert summary.endswith(".")
    assert not summary.endswith("...")


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_explained(name: str) -> None:
    """No option without a help text."""
    found: Any = command(name)
    context = typer.Context(found, info_name=name)
    inner = [found.get_command(context, each) for each in getattr(found, "commands", {})]

    for each in (found, *inner):
        for parameter in each.get_params(context):
            assert getattr(parameter, "help", None), f"{each.name} {parameter.name}"


def test_an_unknown_command_ends_with_2() -> None:
    """The message names it."""
    ran = run("rendr")

    assert ran.code == 2
    assert "rendr" in ran.err


def test_the_version() -> None:
    """By the option that every program has, and by the command that kubectl has."""
    assert run("--version").out == run("version").out == f"{__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """A script that calls grpcop."""
    ran = run("completion", shell)

    assert ran.code == 0
    assert "_GRPCOP_COMPLETE" in ran.out
