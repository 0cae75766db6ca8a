"""GS103: what a method waits for has no deadline, so that the method never answers."""

from collections.abc import Iterator

import grpc

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server

_FIX = "Give every call of another service or database a deadline below that of the caller."


async def check(server: Server) -> Iterator[Finding]:
    """Calls what only reads, and expects any answer."""
    methods = server.reading()
    within = server.target.timeout * 0.8 / len(methods)
    silent = []
    for method in methods:
        code, _ = await server.call(method.path, within=within)
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            silent.append(method)
    return (
        server.finding("GS103", f"did not answer within {within:.1f} s", _FIX, each.path[1:])
        for each in silent
    )
