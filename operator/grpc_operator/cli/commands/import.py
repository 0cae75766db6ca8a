"""``grpcop import``."""  # noqa: N999 - the name of the command

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Kind(StrEnum):
    """What the files are."""

    INFERA = "infera"
    KNATIVE = "knative"
    CLOUD_RUN = "cloud-run"
    KUBERNETES = "kubernetes"


@app.command(name="import")
def import_(
    files: options.Files,
    *,
    from_: Annotated[
        Kind | None,
        typer.Option("--from", help="What the files are; found out by default."),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir", "-d", help="Folder for the files; by default they are printed."
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="Namespace; by default that of the source."),
    ] = None,
    image_template: Annotated[
        str | None,
        typer.Option(
            help="Images, for an infera.yaml: REGISTRY/{project}/{service}:{version}.",
            show_default=False,
        ),
    ] = None,
    image_version: Annotated[str, typer.Option(help="What {version} stands for.")] = "latest",
    proto_path: options.ProtoPath = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the result with the source.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if anything was lost.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files of --output-dir.")
    ] = False,
) -> int:
    """Write GrpcServices for an infera.yaml, Knative, Cloud Run or Deployments.

    What is lost or changed is printed to standard error, by file, line and field.
    """
    from grpc_operator.cli.importing import sources
    from grpc_operator.cli.importing.images import Images
    from grpc_operator.cli.importing.run import Ways, run

    return run(
        files,
        sources.Options(
            sources.Kind(from_) if from_ else None,
            namespace,
            Images(image_template, image_version),
            proto_path or (),
        ),
        Ways(output_dir, strict=strict, check=check, force=force),
    )
