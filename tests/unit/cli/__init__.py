"""``grpcop``, run in this process."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

from grpc_operator.cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*arguments: str) -> Ran:
    """Runs a command as a user would."""
    with _captured() as (out, err):
        code = main(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        yield out, err
