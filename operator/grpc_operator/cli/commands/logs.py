"""``grpcop logs``."""

from enum import StrEnum
from typing import Annotated

import typer

from grpc_operator.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Form(StrEnum):
    """Values of ``--output``."""

    TEXT = "text"
    JSON = "json"


@app.command()
def logs(
    name: options.ServiceName,
    *,
    method: Annotated[
        str | None,
        typer.Option(help="Only calls of this method: GetUser or user.v1.UserService/GetUser."),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option(
            help="Only calls that ended so: a gRPC status such as NOT_FOUND or 5, or an HTTP"
            " status; can be repeated.",
            show_default=False,
        ),
    ] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="Only calls that have failed.", show_default=False)
    ] = False,
    host: Annotated[str | None, typer.Option(help="Only calls to this host.")] = None,
    revision: Annotated[
        str | None, typer.Option(help="Only calls that this revision has answered.")
    ] = None,
    server: Annotated[
        bool,
        typer.Option(
            "--server", help="What the pods of the service log, instead.", show_default=False
        ),
    ] = False,
    container: Annotated[
        str, typer.Option("--container", "-c", help="Container, with --server.")
    ] = "grpc",
    previous: Annotated[
        bool,
        typer.Option(
            "--previous", "-p", help="Before the last restart, with --server.", show_default=False
        ),
    ] = False,
    since: Annotated[str, typer.Option(help="How old lines may be.")] = "10m",
    tail: Annotated[int, typer.Option(min=0, help="How many lines at most, the newest.")] = 1000,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on.", show_default=False)
    ] = False,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the lines.")] = Form.TEXT,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Show the calls of a GrpcService as the proxies of its gateway log them, merged by time.

    -o json prints all fields of each line, as one JSON object. A call that ended before the gateway
    had chosen a service is shown for each service that has its host.
    """
    from grpc_operator.cli.live import logs as live
    from grpc_operator.cli.live.access_log import Filter, code_of
    from grpc_operator.cli.live.target import Target
    from grpc_operator.kube.connection import Kubeconfig

    chosen = Filter(
        "",
        method=method,
        codes=frozenset(map(code_of, code or ())),
        host=host,
        revision=revision and revision.removeprefix(name).removeprefix("-"),
        errors=errors,
    )
    wanted = live.Wanted(
        server, container, previous, chosen, since, tail, follow, output is Form.JSON
    )
    return live.run(Target(Kubeconfig(kubeconfig, context), namespace, name), wanted)
