"""``grpcop call``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.call.via import Via
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Int64(StrEnum):
    """Values of ``--int64``."""

    STRING = "string"
    NUMBER = "number"


@app.command()
def call(
    name: Annotated[
        str | None,
        typer.Argument(help="GrpcService; can be left out with --address.", show_default=False),
    ] = None,
    method: Annotated[
        str | None,
        typer.Argument(
            help="Method, such as user.v1.UserService/GetUser, or its last part.",
            show_default=False,
        ),
    ] = None,
    *,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            "-d",
            help="Request as JSON, several one after another for a stream; @FILE, or - for standard"
            " input.",
        ),
    ] = "{}",
    via: Annotated[
        Via,
        typer.Option(help="Protocol at the gateway; direct: gRPC to a pod, past the gateway."),
    ] = Via.GRPC,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            help="Metadata, as NAME: VALUE; base64 where NAME ends in -bin; can be repeated.",
            show_default=False,
        ),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(help="Deadline of the call, such as 5s; none by default."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="Tag of a revision; with --via direct, or its name.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a gateway or server to call, instead of a port-forward."),
    ] = None,
    authority: Annotated[
        str | None, typer.Option(help="Host to ask for; by default that of the service.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="The address has TLS.")] = False,
    cacert: Annotated[
        Path | None, typer.Option(help="File with the CA to trust; that of the system by default.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Trust every certificate of the server.")
    ] = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Print fields that have their default value.")
    ] = False,
    proto_names: Annotated[
        bool, typer.Option("--proto-names", help="Name fields as the .proto file does.")
    ] = False,
    int64: Annotated[
        Int64, typer.Option(help="How integers of 64 bits are printed.")
    ] = Int64.STRING,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print headers and trailers to standard error.")
    ] = False,
    only_print: Annotated[
        bool,
        typer.Option("--print", help="Print a command of grpcurl or curl instead of calling."),
    ] = False,
    list_methods: Annotated[
        bool, typer.Option("--list", help="List the methods instead of calling one.")
    ] = False,
    descriptor: options.Descriptor = None,
    proto_path: options.ProtoPath = None,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    output: options.Output = Format.TABLE,
) -> int:
    """Call a method by gRPC, gRPC-Web or REST, streams included.

    Responses are printed as JSON, one message a line, as they come.

    grpcop call users user.v1.UserService/GetUser -d '{"id": "42"}' --via rest
    """
    import asyncio

    from grpc_operator.api.types import seconds
    from grpc_operator.cli.call import run
    from grpc_operator.cli.call.message_json import Printing
    from grpc_operator.cli.call.options import Options, Server
    from grpc_operator.cli.call.tls import Trust
    from grpc_operator.cli.errors import CliError

    if name is not None and method is None and (address is not None and "/" in name):
        name, method = None, name
    if method is None and not list_methods:
        raise CliError("no method is named", fix="List the methods of a service with --list.")
    try:
        limit = seconds(deadline) if deadline is not None else None
    except ValueError as error:
        raise CliError("is not a duration such as 5s", where=f"--deadline {deadline}") from error
    if limit is not None and limit <= 0:
        raise CliError("is not a duration above 0", where=f"--deadline {deadline}")
    cluster = None
    if name is not None:
        from grpc_operator.kube.connection import Kubeconfig

        cluster = Kubeconfig(kubeconfig, context)
    asked = Options(
        name=name,
        method=method,
        via=via,
        data=data,
        server=Server(address, authority, tls, Trust(cacert, insecure)),
        headers=header or (),
        deadline=limit,
        revision=revision,
        descriptor=descriptor,
        proto_path=proto_path or (),
        printing=Printing(defaults, proto_names, int64 is Int64.NUMBER),
        verbose=verbose,
        only_print=only_print,
        kubeconfig=cluster,
        namespace=namespace,
    )
    if list_methods:
        asyncio.run(run.show_methods(asked, output))
        return 0
    return asyncio.run(run.call(asked))
