"""GS106: clients that do not read their streams keep the server from answering others."""

import asyncio
from collections.abc import Iterator

import grpc

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.health import PATH
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.cli.lint.live.target import NotCheckedError

_STREAMS = 12
"""More than the 10 threads that are the usual pool of a server with threads."""


async def check(server: Server) -> Iterator[Finding]:
    """Opens streams, reads one message of each, and expects an answer to another call."""
    if not server.target.slow_reader:
        raise NotCheckedError(f"needs --slow-reader: it opens {_STREAMS} streams and reads none")
    method = server.reading(streams=True)[0]
    before, _ = await server.call(PATH)
    if before == grpc.StatusCode.DEADLINE_EXCEEDED:
        raise NotCheckedError("the health service does not answer")
    calls = [server.stream(method.path) for _ in range(_STREAMS)]
    try:
        await asyncio.wait([asyncio.ensure_future(each.read()) for each in calls], timeout=1)
        code, _ = await server.call(PATH, within=server.target.timeout * 0.4)
    except grpc.aio.AioRpcError as error:
        raise NotCheckedError(f"the stream ended with {error.code().name}") from error
    finally:
        for each in calls:
            each.cancel()
    if code != grpc.StatusCode.DEADLINE_EXCEEDED:
        return iter(())
    text = f"answers nobody while {_STREAMS} clients do not read this stream"
    fix = "Do not hold a thread for a stream: use asynchronous handlers, or limit the streams."
    return iter([server.finding("GS106", text, fix, method.path[1:])])
