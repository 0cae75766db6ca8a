"""``grpcop tree``."""

from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def tree(
    *,
    name: options.ServiceName,
    everything: Annotated[
        bool, typer.Option("--all", help="Also ReplicaSets without pods.", show_default=False)
    ] = False,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Show what a GrpcService owns, down to its pods, and whether each is ready.

    Exit code: 0 the service is healthy, 1 it is not, 2 it does not exist or cannot be read.
    """
    from grpc_operator.cli.live import tree as live
    from grpc_operator.cli.live.target import Target
    from grpc_operator.kube.connection import Kubeconfig

    target = Target(Kubeconfig(kubeconfig, context), namespace, name)
    return live.run(target, everything=everything, form=output)
