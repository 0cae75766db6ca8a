"""``grpcop rollout``."""

from typing import TYPE_CHECKING, Annotated

import typer

from grpc_operator.cli import options
from grpc_operator.cli.group import Group
from grpc_operator.cli.output import Format

if TYPE_CHECKING:
    from grpc_operator.cli.live.target import Target

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Follow and steer the rollout of a GrpcService step by step.",
)

_Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Take the annotation over from whoever has set it.",
        show_default=False,
    ),
]


@app.command()
def status(
    name: options.ServiceName,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Wait for the end.", show_default=False)
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds that --watch waits at most.")
    ] = 3600.0,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Say how far the rollout is, and what it waits for.

    Exit code: 0 the newest spec has all calls, 1 it does not (yet), or was taken back, 2 it has not
    ended in time or cannot be read.
    """
    from grpc_operator.cli.live import rollout as live

    return live.status(
        _target(name, namespace, context, kubeconfig), watch=watch, timeout=timeout, form=output
    )


@app.command()
def history(
    name: options.ServiceName,
    *,
    output: options.Output = Format.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """List the revisions, the newest first."""
    from grpc_operator.cli.live import rollout as live

    return live.history(_target(name, namespace, context, kubeconfig), output)


@app.command()
def promote(
    name: options.ServiceName,
    *,
    force: _Force = False,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Give all calls to the new revision as soon as its pods are ready."""
    return _command("promote", _target(name, namespace, context, kubeconfig), force=force)


@app.command()
def pause(
    name: options.ServiceName,
    *,
    force: _Force = False,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Stay at the current step until the rollout is resumed."""
    return _command("pause", _target(name, namespace, context, kubeconfig), force=force)


@app.command()
def resume(
    name: options.ServiceName,
    *,
    force: _Force = False,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Go on after a pause, or try a failed revision once more."""
    return _command("resume", _target(name, namespace, context, kubeconfig), force=force)


@app.command()
def abort(
    name: options.ServiceName,
    *,
    force: _Force = False,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Give all calls back to the stable revision; the new one has failed."""
    return _command("abort", _target(name, namespace, context, kubeconfig), force=force)


@app.command()
def undo(
    name: options.ServiceName,
    *,
    force: _Force = False,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> int:
    """Go back to the revision that was stable before."""
    return _command("undo", _target(name, namespace, context, kubeconfig), force=force)


def _target(
    name: str, namespace: str | None, context: str | None, kubeconfig: str | None
) -> "Target":
    from grpc_operator.cli.live.target import Target
    from grpc_operator.kube.connection import Kubeconfig

    return Target(Kubeconfig(kubeconfig, context), namespace, name)


def _command(verb: str, target: "Target", *, force: bool) -> int:
    from grpc_operator.cli.live import rollout as live
    from grpc_operator.cli.live.commands import Verb

    return live.command(target, Verb(verb), force=force)
