"""``grpcop status``."""

from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def status(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Names of GrpcServices; all by default.", show_default=False
        ),
    ] = None,
    unhealthy: Annotated[
        bool, typer.Option("--unhealthy", help="Only those that are not healthy.")
    ] = False,
    watch: options.Watch = False,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    every_namespace: options.AllNamespaces = False,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Say of GrpcServices whether they are healthy, and what is wrong first.

    Exit code: 0 all are healthy, 1 one of them is not, 2 one does not exist or the cluster cannot
    be read.
    """
    from grpc_operator.cli.live import status as live
    from grpc_operator.kube.connection import Kubeconfig

    wanted = live.Wanted(
        Kubeconfig(kubeconfig, context),
        namespace,
        every_namespace,
        tuple(names or ()),
        unhealthy,
        watch,
        output,
    )
    return live.run(wanted)
