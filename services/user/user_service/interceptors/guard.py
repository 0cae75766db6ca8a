"""GuardInterceptor: runs one async context manager around every call, unary or streaming.

gRPC has four kinds of method handler; an interceptor has to rebuild the right one. This file is
the only place that knows them, so each interceptor is just a context manager.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc

Guard = Callable[[str, Any], AbstractAsyncContextManager[None]]
"""Called with the full method name (`/package.Service/Method`) and the call's context."""

_HANDLERS: dict[tuple[bool, bool], tuple[str, Callable[..., Any]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


class GuardInterceptor(grpc.aio.ServerInterceptor):
    """Puts a guard around the handler of every call."""

    def __init__(self, guard: Guard) -> None:
        """Use `guard` for every call."""
        self._guard = guard

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Return the next handler with the guard around it; None when the method is unknown."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        kind, make_handler = _HANDLERS[handler.request_streaming, handler.response_streaming]
        wrap = _guarded_stream if handler.response_streaming else _guarded_unary
        return make_handler(
            wrap(getattr(handler, kind), self._guard, handler_call_details.method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _guarded_unary(behaviour: Callable[..., Any], guard: Guard, method: str) -> Callable[..., Any]:
    async def call(request: Any, context: Any) -> Any:
        async with guard(method, context):
            return await behaviour(request, context)

    return call


def _guarded_stream(behaviour: Callable[..., Any], guard: Guard, method: str) -> Callable[..., Any]:
    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        async with guard(method, context):
            responses = behaviour(request, context)
            if inspect.isawaitable(responses):  # It writes to the context, as Health.Watch does.
                await responses
                return
            async for response in responses:
                yield response

    return call
