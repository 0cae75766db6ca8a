"""The command line: which commands there are, and how one ends."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.group import Group

COMMANDS: dict[str, tuple[str, ...]] = {
    "Without a cluster": (
        "init",
        "render",
        "lint",
        "diff",
        "import",
        "export",
        "cost",
        "descriptor",
    ),
    "With a cluster": (
        "status",
        "describe",
        "tree",
        "events",
        "call",
        "check",
        "top",
        "rollout",
        "logs",
    ),
    "About grpcop": ("completion", "version"),
}
"""The names of all commands, by section of the help, in its order. The code of each is in the file
of that name in ``commands``, which exports ``app``."""

_INTERRUPTED = 130  # as shells report SIGINT

_HELP = """Everything around a GrpcService: from a repository to a running service, and to the
reason why it does not run.

Exit codes: 0 nothing is wrong, 1 something is (findings, differences, an unhealthy service),
2 the command could not do it. Colors are off when NO_COLOR is set or the output is not a terminal.
"""


class _Commands(Group):
    """Imports a command when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - given by click
        return [name for names in COMMANDS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        return command(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        for section, names in COMMANDS.items():
            if not names:
                continue
            with formatter.section(section):
                formatter.write_dl(
                    [(name, command(name).get_short_help_str(limit=100)) for name in names]
                )


def command(name: str) -> TyperCommand | TyperGroup:
    """Returns a command by its name."""
    module = import_module(f"grpc_operator.cli.commands.{name.replace('-', '_')}")
    found = cast("TyperCommand | TyperGroup", typer.main.get_command(module.app))
    found.name = name
    return found


app = typer.Typer(
    cls=_Commands,
    help=_HELP,
    name="grpcop",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Has no options: typer would import pydantic to read them, for every --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code.

    Args:
        arguments: Without the program's name; ``sys.argv`` by default.
    """
    run = cast("Callable[..., Any]", typer.main.get_command(app))
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    if given == ["--version"]:
        given = ["version"]
    try:
        code = run(args=given, prog_name=program(), standalone_mode=False)
    except BrokenPipeError:
        # Whoever read the output has read enough; nothing more can be written, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - what is not known is raised again
        return _failed(error)
    return int(code or 0)


def program() -> str:
    """Returns what the user calls this: ``grpcop``, or ``kubectl grpc`` as a plugin of kubectl."""
    name = Path(sys.argv[0]).name
    return "kubectl grpc" if name == "kubectl-grpc" else "grpcop"


def _failed(error: Exception) -> int:
    """Prints an error that a user can act on; others are ours, and go on with their traceback."""
    if hasattr(error, "show"):  # of click, with the usage
        error.show()
        return ExitCode.UNUSABLE
    if not isinstance(error, CliError):
        from grpc_operator.cli.known_errors import known

        error = known(error)
    typer.echo(f"error: {error}", err=True)
    return ExitCode.UNUSABLE
