"""GS103: what a method waits for has no deadline, so that the method never answers."""

from collections.abc import Iterator

import grpc

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server

_FIX = "Give every call of another service or database a deadline below that of the caller."


async def check(server: Server) -> Iterator[Finding]:
    """Calls what only reads, and expects any answer."""
    text = f"did not answer within {server.longest:.1f} s"
    return (
        server.finding("GS103", text, _FIX, method.path[1:])
        for method, (code, _) in await server.replies()
        if code == grpc.StatusCode.DEADLINE_EXCEEDED
    )
