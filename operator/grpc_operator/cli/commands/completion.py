"""``grpcop completion``."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Shell(StrEnum):
    """The shells that typer can complete for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell.", show_default=False)],
) -> None:
    """Print the completion script of a shell.

    Load it with: source <(grpcop completion bash)
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # it has no __all__

    script = get_completion_script(
        prog_name="grpcop", complete_var="_GRPCOP_COMPLETE", shell=shell.value
    )
    typer.echo(script)
