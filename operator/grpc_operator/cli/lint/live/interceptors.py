"""GS108: calls are not counted by method, or answered to anybody."""

import re
from collections.abc import Iterator

import aiohttp
import grpc

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.cli.lint.live.target import NotCheckedError

_SERIES = re.compile(r"^(rpc_server_|grpc_server_)\w+\{", re.MULTILINE)
_MOST_BYTES = 4 * 1024 * 1024
_REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


async def check(server: Server) -> Iterator[Finding]:
    """Reads the metrics page after a call, and calls methods without credentials."""
    target = server.target
    if target.metrics is None and not target.needs_credentials:
        raise NotCheckedError("needs --metrics, or --needs-credentials if its methods do")
    found = []
    if target.metrics is not None and not await _counts(server, target.metrics):
        text = (
            f"http://{target.metrics}/metrics has no series of calls (rpc_server_*, grpc_server_*)"
        )
        fix = "Add the interceptor for metrics of your library, or of OpenTelemetry."
        found.append(server.finding("GS108", text, fix))
    if target.needs_credentials:
        fix = "Add an interceptor that checks credentials before every method."
        for method, (code, _) in await server.replies():
            if code not in _REFUSALS:
                text = f"answers a caller without credentials ({code.name})"
                found.append(server.finding("GS108", text, fix, method.path[1:]))
    return iter(found)


async def _counts(server: Server, address: str) -> bool:
    """Returns whether the metrics page has calls by method."""
    await server.call("/grpc.health.v1.Health/Check")
    page = bytearray()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{address}/metrics") as answer,
        ):
            async for chunk in answer.content.iter_any():
                page += chunk
                if len(page) > _MOST_BYTES:
                    break
    except (aiohttp.ClientError, OSError) as error:
        raise NotCheckedError(f"http://{address}/metrics cannot be read: {error}") from error
    return _SERIES.search(page.decode(errors="replace")) is not None
