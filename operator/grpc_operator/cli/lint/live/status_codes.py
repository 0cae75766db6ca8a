"""GS109: a request with nothing in it gives an error that says nothing."""

from collections.abc import Iterator

import grpc

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.descriptor.descriptor_error import shown

_NOTHING = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)
_FIX = "Answer INVALID_ARGUMENT or NOT_FOUND with what is wrong; UNKNOWN is an exception."


async def check(server: Server) -> Iterator[Finding]:
    """Sends an empty request to what only reads."""
    return (
        server.finding(
            "GS109",
            f"answers an empty request with {code.name} ({shown(message)})",
            _FIX,
            method.path[1:],
        )
        for method, (code, message) in await server.replies()
        if code in _NOTHING
    )
