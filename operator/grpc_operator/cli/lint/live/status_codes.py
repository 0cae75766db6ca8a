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
    methods = server.reading()
    found = []
    for method in methods:
        code, message = await server.call(method.path, within=server.target.timeout / len(methods))
        if code in _NOTHING:
            text = f"answers an empty request with {code.name} ({shown(message)})"
            found.append(server.finding("GS109", text, _FIX, method.path[1:]))
    return iter(found)
