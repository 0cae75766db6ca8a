"""``grpcop init``."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="The source tree.", metavar="[DIR]")] = Path(),
    *,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-d",
            help="Folder for the files; by default deploy, in the source tree.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the objects instead of writing files.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.")] = False,
) -> int:
    """Find the gRPC servers of a source tree, and write a GrpcService for each.

    It reads the code of Go, Python, Node, Rust and Java, .proto files, manifests such as go.mod,
    and Dockerfiles. What it has found, and what it could not know, is printed to
    standard error.
    """
    from grpc_operator.cli.detect.run import run

    return run(directory, output_dir, dry_run=dry_run, force=force)
