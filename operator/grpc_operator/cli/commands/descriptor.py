"""``grpcop descriptor``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.group import Group
from grpc_operator.cli.output import Format

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Get, prune and compare FileDescriptorSets.",
)


class Form(StrEnum):
    """Forms of a set."""

    BINARY = "binary"
    BASE64 = "base64"
    CONFIG_MAP = "configmap"
    JSON = "json"


_Set = Annotated[
    Path,
    typer.Argument(
        help="FileDescriptorSet, .proto file, or folder of .proto files.", show_default=False
    ),
]
_Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service",
        help="Full name of a gRPC service to keep; can be repeated. All but health and reflection"
        " by default.",
        show_default=False,
    ),
]
_Rest = Annotated[
    bool, typer.Option("--rest/--no-rest", help="Whether the services are served by REST.")
]
_Form = Annotated[
    Form,
    typer.Option(
        "--as",
        help="Form of the set: bytes, base64 for spec.descriptor.inline, a ConfigMap for"
        " spec.descriptor.configMap, or JSON.",
    ),
]
_File = Annotated[
    Path | None,
    typer.Option("--to", help="File to write; standard output by default.", show_default=False),
]
_Name = Annotated[str, typer.Option("--name", help="Name of the ConfigMap of --as configmap.")]


@app.command()
def get(
    service: Annotated[
        str | None, typer.Argument(help="Name of a GrpcService.", show_default=False)
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a server to ask by reflection, instead of a cluster."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="Name of a revision; the stable one by default.")
    ] = None,
    form: _Form = Form.BINARY,
    to: _File = None,
    name: _Name = "descriptor",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
) -> None:
    """Get the set of a GrpcService, or of a server.

    That of a GrpcService is the one that its routes are made of.
    """
    from grpc_operator.cli.schema_sets import get, write

    data = get.of_server(server) if server else None
    if data is None:
        data = get.of_cluster((kubeconfig, context, namespace), service, revision)
    write.write(data, form, to, name)


@app.command()
def prune(
    path: _Set,
    services: _Services = None,
    rest: _Rest = True,
    form: _Form = Form.BINARY,
    to: _File = None,
    name: _Name = "descriptor",
    proto_path: options.ProtoPath = None,
) -> None:
    """Reduce a set to what the operator needs.

    It is checked as the operator does.
    """
    from grpc_operator.cli.schema_sets import prune, write

    write.write(prune.pruned(path, proto_path or (), services, rest=rest), form, to, name)


@app.command()
def compare(
    old: _Set,
    new: _Set,
    services: _Services = None,
    rest: _Rest = True,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="Breaking change to accept, as in spec.rollout.schema.allow: RULE:ELEMENT; can be"
            " repeated.",
            show_default=False,
        ),
    ] = None,
    proto_path: options.ProtoPath = None,
    output: options.Output = Format.TABLE,
) -> int:
    """Report changes that break callers.

    By the rules of the schema check of a rollout (docs/rollouts.md). The exit code is 1 if there
    are any.
    """
    from grpc_operator.cli.schema_sets import compare

    request = compare.Request(old, new, tuple(proto_path or ()), services, rest, tuple(allow or ()))
    return compare.run(request, output)
