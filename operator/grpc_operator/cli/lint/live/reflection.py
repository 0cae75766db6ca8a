"""GS107: the server has no reflection, so that tools and the operator do not know its API."""

from collections.abc import Iterator

from grpc_operator.api.reasons import Reason
from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.cli.lint.live.target import NotCheckedError
from grpc_operator.reflection import ReflectionError
from grpc_operator.reflection.client import fetch

_FIX = "Add the reflection service of your gRPC library (grpc.reflection.v1)."


async def check(server: Server) -> Iterator[Finding]:
    """Asks for the files of all services."""
    try:
        await fetch(server.target.address, server.target.timeout * 0.8)
    except ReflectionError as error:
        if error.reason != Reason.REFLECTION_UNIMPLEMENTED:
            raise NotCheckedError(str(error)) from error
        text = "does not have server reflection, or refuses it without credentials"
        return iter([server.finding("GS107", text, _FIX)])
    return iter(())
