"""``grpcop lint``."""

from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli.lint.options import FailOn, Form
from grpc_operator.cli.options import Descriptor, ProtoPath

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Files (YAML, JSON, .proto, source code), folders of them, or - for YAML from standard"
        " input.",
        show_default=False,
    ),
]
_Codes = list[str] | None
_Server = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of a running server without TLS, to check instead of files. Only health,"
        " reflection, and methods that read are called."
    ),
]
_Timeout = Annotated[str, typer.Option(help="Time limit of each check of a server.")]
_Origin = Annotated[
    str | None,
    typer.Option(help="Web pages of this origin are to call it (GS101)."),
]
_Metrics = Annotated[
    str | None,
    typer.Option(help="HOST:PORT of its metrics page (GS108)."),
]
_NeedsCredentials = Annotated[
    bool,
    typer.Option(
        "--needs-credentials", help="Its methods are to refuse callers without credentials (GS108)."
    ),
]
_SlowReader = Annotated[
    bool,
    typer.Option(
        "--slow-reader",
        help="Open streams and do not read them (GS106): holds up a server with this mistake.",
    ),
]
_Disruptive = Annotated[
    bool,
    typer.Option(
        "--disruptive", help="End the process --pid with SIGTERM, to see how it stops (GS110)."
    ),
]
_Pid = Annotated[
    int | None,
    typer.Option(min=2, help="Its process on this machine."),
]


@app.command()
def lint(
    paths: _Paths = None,
    *,
    server: _Server = None,
    timeout: _Timeout = "5s",
    origin: _Origin = None,
    metrics: _Metrics = None,
    needs_credentials: _NeedsCredentials = False,
    slow_reader: _SlowReader = False,
    disruptive: _Disruptive = False,
    pid: _Pid = None,
    descriptor: Descriptor = None,
    proto_path: ProtoPath = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the output.")] = Form.TEXT,
    fail_on: Annotated[
        FailOn, typer.Option(help="Least severity that makes the exit code 1.")
    ] = FailOn.WARNING,
    select: Annotated[
        _Codes,
        typer.Option(help="Report only codes that begin so, such as GS1; can be repeated."),
    ] = None,
    ignore: Annotated[
        _Codes, typer.Option(help="Do not report codes that begin so; can be repeated.")
    ] = None,
) -> int:
    """Find what is refused, and the ten common mistakes of gRPC services, without a cluster.

    In files, or with --server on a running server. Each code has a page in docs/lint, which also
    says how a comment ignores a finding.
    """
    from grpc_operator.cli.errors import CliError
    from grpc_operator.cli.lint.run import Request, finish, run

    if bool(paths) == (server is not None):
        raise CliError("needs either files or --server", fix="grpcop lint -h shows both.")
    request = Request(
        paths=paths or (),
        descriptor=descriptor,
        proto_path=proto_path or (),
        select=select or (),
        ignore=ignore or (),
    )
    if server is None:
        return run(request, output, fail_on)
    if disruptive != (pid is not None):
        raise CliError("--disruptive needs --pid, and --pid needs --disruptive")
    from grpc_operator.cli.lint.live.run import check
    from grpc_operator.cli.lint.live.target import of_options
    from grpc_operator.cli.protos import descriptor_set

    target = of_options(
        server,
        timeout,
        metrics,
        origin,
        descriptor=descriptor_set(descriptor, proto_path or ()) if descriptor else None,
        needs_credentials=needs_credentials,
        slow_reader=slow_reader,
        pid=pid,
    )
    return finish(check(target), request, output, fail_on)
