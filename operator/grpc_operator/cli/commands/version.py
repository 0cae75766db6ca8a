"""``grpcop version``."""

import typer

from grpc_operator import __version__

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
