"""``grpcop check``."""

from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def check(
    name: Annotated[
        str | None,
        typer.Argument(
            help="GrpcService; without it, the installation and every gateway is checked.",
            show_default=False,
        ),
    ] = None,
    *,
    pre: Annotated[
        bool, typer.Option("--pre", help="Check whether the operator can be installed.")
    ] = False,
    timeout: Annotated[str, typer.Option(help="Time limit of each check.")] = "2s",
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    output: options.Output = Format.TABLE,
) -> int:
    """Find out what is wrong with a cluster, with a hint for each failure.

    It ends with 1 if a check has failed; -o name prints the names of those.
    """
    import asyncio

    from grpc_operator.api.types import seconds
    from grpc_operator.cli.check import run
    from grpc_operator.cli.errors import CliError
    from grpc_operator.kube.connection import Kubeconfig

    try:
        limit = seconds(timeout)
    except ValueError as error:
        raise CliError("is not a duration such as 2s", where=f"--timeout {timeout}") from error
    if pre and name is not None:
        raise CliError("--pre is about the cluster, and takes no GrpcService", where=name)
    asked = run.Options(name, pre, limit, output, Kubeconfig(kubeconfig, context), namespace)
    return asyncio.run(run.check(asked))
