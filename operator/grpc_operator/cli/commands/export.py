"""``grpcop export``."""

from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli.options import Filenames, ProtoPath

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def export(
    *,
    filename: Filenames,
    to: Annotated[
        str,
        typer.Option(
            help="The target: kubernetes, gateway-api, envoy-gateway, envoy, cloud-run,"
            " terraform-gcp or terraform-aws.",
            show_default=False,
        ),
    ],
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            "-d",
            help="Folder to write to, with what the target cannot do in UNSUPPORTED.md; by default"
            " everything is printed.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if anything gets lost.")
    ] = False,
    gateway_class: Annotated[
        str | None,
        typer.Option(
            help="gateway-api, envoy-gateway: the GatewayClass of Gateways.", show_default=False
        ),
    ] = None,
    transcoder: Annotated[
        str | None,
        typer.Option(
            metavar="[NAMESPACE/]NAME:PORT",
            help="gateway-api, envoy-gateway: a Service that turns REST into gRPC.",
            show_default=False,
        ),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="envoy: address of the servers; {name}, {namespace} and {port} are those of"
            " each service; by default its headless Service.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(
            help="cloud-run: project; terraform-*: what names of resources begin with; by default"
            " that of the annotation export.grpc.infera.dev/project.",
            show_default=False,
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="cloud-run, terraform-*: region; by default that of the annotation"
            " export.grpc.infera.dev/region.",
            show_default=False,
        ),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help="terraform-gcp: what the internal load balancer has behind it, serverless (Cloud"
            " Run) or gke.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="terraform-*: hcl (default) or tf.json.",
            show_default=False,
        ),
    ] = None,
    descriptor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]PATH",
            help="FileDescriptorSet, .proto file, or folder of .proto files, of all services or of"
            " one; by default what spec.descriptor has. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    proto_path: ProtoPath = None,
) -> int:
    """Write GrpcServices for another platform, and name what it cannot do."""
    from grpc_operator.cli.errors import ExitCode
    from grpc_operator.cli.export import inputs, targets, written

    options = {
        "backend": backend,
        "format": format_,
        "gateway-class": gateway_class,
        "project": project,
        "region": region,
        "transcoder": transcoder,
        "upstream": upstream,
    }
    given = inputs.read(
        filename,
        descriptor or (),
        proto_path or (),
        {name: value for name, value in options.items() if value is not None},
    )
    made = targets.export(to, given)
    written.write(to, made, directory)
    return ExitCode.FOUND if strict and made.losses else ExitCode.OK
