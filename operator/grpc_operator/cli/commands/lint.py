"""``grpcop lint``."""

from pathlib import Path
from typing import Annotated

import typer

from grpc_operator.cli.lint.options import FailOn, Form
from grpc_operator.cli.options import Descriptor, ProtoPath

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_Paths = Annotated[
    list[Path],
    typer.Argument(
        help="Files (YAML, JSON, .proto, source code), folders of them, or - for YAML from standard"
        " input.",
        show_default=False,
    ),
]
_Codes = list[str] | None


@app.command()
def lint(
    paths: _Paths,
    *,
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
    """Find what is refused, and the ten common mistakes of gRPC services, without a cluster."""
    from grpc_operator.cli.lint.run import Request, run

    request = Request(
        paths=paths,
        descriptor=descriptor,
        proto_path=proto_path or (),
        select=select or (),
        ignore=ignore or (),
    )
    return run(request, output, fail_on)
