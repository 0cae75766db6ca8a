"""``grpcop describe``."""

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def describe(
    name: options.ServiceName,
    *,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Show all that is known of a GrpcService: conditions, pods, proxies, methods and more.

    -o wide does not cut long lists. Exit code: 0 the service is healthy, 1 it is not, 2 it does not
    exist or cannot be read.
    """
    from grpc_operator.cli.live import describe as live
    from grpc_operator.cli.live.target import Target
    from grpc_operator.kube.connection import Kubeconfig

    return live.run(Target(Kubeconfig(kubeconfig, context), namespace, name), output)
