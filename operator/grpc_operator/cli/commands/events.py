"""``grpcop events``."""

from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def events(
    name: options.ServiceName,
    *,
    warnings: Annotated[
        bool, typer.Option("--warnings", help="Only Warnings.", show_default=False)
    ] = False,
    watch: options.Watch = False,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Show the Events of a GrpcService and of all that it owns, the newest last.

    Exit code: 0 the service is healthy, 1 it is not, 2 it does not exist or cannot be read.
    """
    from grpc_operator.cli.live import events as live
    from grpc_operator.cli.live.target import Target
    from grpc_operator.kube.connection import Kubeconfig

    target = Target(Kubeconfig(kubeconfig, context), namespace, name)
    return live.run(target, warnings=warnings, watch=watch, form=output)
