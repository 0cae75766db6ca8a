"""Reads from the status port of a proxy how calls to one GrpcService ended."""

from http import HTTPStatus

import aiohttp

from grpc_operator import limits
from grpc_operator.desired.gateway.status_routes import StatusRoute
from grpc_operator.resources import Key

TIMEOUT = 1.5
"""Seconds for one answer; it is a few milliseconds of work for Envoy's main thread."""


class ProxyStatsError(Exception):
    """A proxy gave no answer that can be used; the text says why."""


async def read(
    target: str,
    route: StatusRoute,
    service: Key,
    timeout: float | None = None,  # noqa: ASYNC109 - handed to aiohttp, which enforces it
) -> bytes:
    """Returns what a proxy says: the JSON of Envoy's ``/stats``.

    Args:
        target: HOST:PORT of its status port.
        route: What to ask for.
        service: The GrpcService.
        timeout: Seconds for the answer; ``TIMEOUT`` by default.

    Raises:
        ProxyStatsError: It did not answer in time, or with too much.
    """
    limit = aiohttp.ClientTimeout(total=TIMEOUT if timeout is None else timeout)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=False) as session,
            session.get(f"http://{target}{route.path(service)}", allow_redirects=False) as answer,
        ):
            if answer.status != HTTPStatus.OK:
                raise ProxyStatsError(f"{target}: HTTP status {answer.status}")
            return await _bounded(answer.content, target)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ProxyStatsError(f"{target}: {error!r}") from None


async def _bounded(content: aiohttp.StreamReader, target: str) -> bytes:
    found = bytearray()
    async for chunk in content.iter_any():
        found += chunk
        if len(found) > limits.CALL_STATISTICS_BYTES.value:
            raise ProxyStatsError(f"{target}: more than {limits.CALL_STATISTICS_BYTES} bytes")
    return bytes(found)
