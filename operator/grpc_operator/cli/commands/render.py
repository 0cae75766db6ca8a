"""``grpcop render``."""

from enum import StrEnum
from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Target(StrEnum):
    """What can be rendered."""

    KUBERNETES = "kubernetes"
    ENVOY = "envoy"


@app.command()
def render(
    filenames: options.Filenames,
    to: Annotated[
        Target, typer.Option(help="The objects of Kubernetes, or the xDS resources of Envoy.")
    ] = Target.KUBERNETES,
    descriptor: options.Descriptor = None,
    proto_path: options.ProtoPath = None,
    namespace: options.NamespaceOfFiles = "default",
    output: options.Output = Format.YAML,
) -> None:
    """Print what the operator applies for GrpcServices, or sends to Envoy.

    The objects are those of a service that does not exist yet. They have owner references and the
    annotation with their hash only if the file has metadata.uid, as with kubectl get -o yaml.
    """
    from grpc_operator.cli.rendering.command import Request, run

    run(
        Request(
            tuple(filenames), descriptor, tuple(proto_path or ()), namespace, is_envoy=to == "envoy"
        ),
        output,
    )
