"""``grpcop top``."""

from enum import StrEnum
from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Rows(StrEnum):
    """What a row is about."""

    SERVICE = "service"
    METHOD = "method"
    REVISION = "revision"


@app.command()
def top(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Name of the GrpcService; all by default.", show_default=False
        ),
    ] = None,
    *,
    by: Annotated[
        Rows | None,
        typer.Option(help="What a row is about; by default method with a NAME, else service."),
    ] = None,
    interval: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds for which calls are counted.")
    ] = 10.0,
    watch: options.Watch = False,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Show how calls through the gateway end: rate, errors by status, latency, open calls.

    Reads the status ports of the proxies twice, through the API server. Calls that do not go
    through the gateway are not counted.
    """
    from grpc_operator.cli.live import top as live
    from grpc_operator.cli.live.traffic import By
    from grpc_operator.kube.connection import Kubeconfig

    default = By.METHOD if name else By.SERVICE
    wanted = live.Wanted(
        Kubeconfig(kubeconfig, context),
        namespace,
        name,
        By(by.value) if by else default,
        interval,
        watch,
        output,
    )
    return live.run(wanted)
