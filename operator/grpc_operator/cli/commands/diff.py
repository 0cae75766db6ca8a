"""``grpcop diff``."""

from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.output import Format

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def diff(
    old: Annotated[
        Path | None, typer.Argument(help="File or folder as it was.", show_default=False)
    ] = None,
    new: Annotated[
        Path | None, typer.Argument(help="File or folder as it is.", show_default=False)
    ] = None,
    filenames: Annotated[
        list[Path] | None,
        typer.Option(
            "--filename",
            "-f",
            help="Compare this file with the cluster, instead of OLD with NEW; can be repeated.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Format | None,
        typer.Option("--output", "-o", help="Form of the output; unified diffs by default."),
    ] = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
) -> int:
    """Show what a change of GrpcServices changes in the objects that the operator applies.

    It says whose pods are replaced. The exit code is 1 if anything differs.
    """
    from grpc_operator.cli.differences import command
    from grpc_operator.cli.errors import CliError
    from grpc_operator.cli.objects import DEFAULT_NAMESPACE
    from grpc_operator.kube.connection import Kubeconfig

    if filenames and (old or new):
        raise CliError("give OLD and NEW to compare files, or -f FILE to compare with a cluster")
    if filenames:
        live = command.Live(Kubeconfig(kubeconfig, context), namespace)
        return command.report(command.of_cluster(filenames, live), output)
    if old is None or new is None:
        raise CliError("give OLD and NEW to compare files, or -f FILE to compare with a cluster")
    return command.report(command.of_files(old, new, namespace or DEFAULT_NAMESPACE), output)
