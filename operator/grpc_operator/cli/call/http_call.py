"""Requests by HTTP/1.1, and what their failures are in gRPC."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from grpc_operator.cli.call import metadata
from grpc_operator.cli.call.parts import Outcome
from grpc_operator.cli.call.transport import Body, Call, http_headers
from grpc_operator.cli.errors import CliError

_CONNECT_SECONDS = 20
_GRACE = 1.0
"""Seconds after its deadline that the server's own answer about it is waited for."""

_UNAVAILABLE, _DEADLINE_EXCEEDED = 14, 4
_CODES = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""gRPC status of an HTTP status without one (http-grpc-status-mapping.md of grpc/grpc)."""


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        method: HTTP method.
        url: Complete, and already encoded.
        headers: Besides metadata.
        body: Pieces of an iterator are sent as they come.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Body = None


@asynccontextmanager
async def sent(call: Call, request: Request) -> AsyncIterator[aiohttp.ClientResponse | Outcome]:
    """Yields the response, or why there is none."""
    from multidict import CIMultiDict
    from yarl import URL

    deadline = None if call.deadline is None else call.deadline + _GRACE
    timeout = aiohttp.ClientTimeout(total=deadline, sock_connect=_CONNECT_SECONDS)
    headers = CIMultiDict(request.headers)
    limit = None if call.deadline is None else metadata.timeout(call.deadline)
    headers.extend(http_headers(call, limit))
    async with aiohttp.ClientSession(
        timeout=timeout, trust_env=False, skip_auto_headers=("user-agent",)
    ) as session:
        try:
            response = await session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=headers,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            yield failed(error)
            return
        async with response:
            yield response


async def content(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Returns the content of a response.

    Args:
        response: The response.
        most: Bytes.

    Raises:
        CliError: It has more.
    """
    found = bytearray()
    async for data in response.content.iter_any():
        found += data
        if len(found) > most:
            raise CliError(f"the response has more than {most:,} bytes")
    return bytes(found)


def failed(error: Exception) -> Outcome:
    """Returns the outcome of a call that has no answer, or only a part of one."""
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ServerTimeoutError):
        return Outcome(_DEADLINE_EXCEEDED, "the deadline has passed")
    return Outcome(_UNAVAILABLE, str(error) or type(error).__name__)


def code(status: int) -> int:
    """Returns the gRPC status code of an HTTP status."""
    return _CODES.get(status, 2)


def not_grpc(status: int) -> str:
    """Returns what an answer means that is not of the protocol."""
    return (
        f"The answer is not that of a gateway (HTTP status {status}). Are address and authority"
        " those of the gateway?"
    )
