"""The `authorization` of outgoing calls: a token of this service, or the caller's own.

Tokens are sent in the clear on a channel without TLS. gRPC's call credentials refuse that; inside
a cluster whose network is trusted, or encrypted below gRPC, it is common and allowed here.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import grpc

from grpc_service_kit import context
from grpc_service_kit.client.errors import ClientConfigError
from grpc_service_kit.client.interceptors.outgoing import OutgoingCall, Step

AUTHORIZATION = "authorization"

Token = str | Callable[[], str | Awaitable[str]]
"""A token, or a function or coroutine function that returns the current one for each call."""


def bearer(token: Token) -> Step:
    """Return the step that sends `Bearer TOKEN`; a callable token may rotate, and may be async.

    A callable that raises ends the call with UNAVAILABLE, and one that returns no usable token
    with UNAUTHENTICATED. A call that has its own `authorization` keeps it.
    """
    if isinstance(token, str) and not _usable(token):
        raise ClientConfigError("authorization: the token is empty or has blanks in it")

    async def step(call: OutgoingCall) -> None:
        if call.metadata.get(AUTHORIZATION) is not None:
            return
        value = token if isinstance(token, str) else await _fetch(token, call)
        if not _usable(value):
            reason = "the token is empty or has blanks in it"
            raise call.error(grpc.StatusCode.UNAUTHENTICATED, reason)
        call.add(AUTHORIZATION, f"Bearer {value}")

    return step


async def forward_authorization(call: OutgoingCall) -> None:
    """Send the `authorization` of the call being served, if it has one, as it came."""
    value = context.authorization.get()
    if value is not None:
        call.add(AUTHORIZATION, value)


async def _fetch(token: Callable[[], str | Awaitable[str]], call: OutgoingCall) -> object:
    try:
        async with asyncio.timeout(call.remaining()):
            value = token()
            return await value if inspect.isawaitable(value) else value
    except grpc.aio.AioRpcError:
        raise
    except Exception as error:
        call.remaining()
        # Its text may hold a secret: it stays with the cause.
        reason = f"the token callable raised {type(error).__name__}"
        raise call.error(grpc.StatusCode.UNAVAILABLE, reason) from error


def _usable(value: object) -> bool:
    """Return whether it is one word of visible ASCII (RFC 6750), which metadata can carry."""
    return (
        isinstance(value, str)
        and value != ""
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )
