"""Runs the steps before every call: the only place that knows gRPC's four kinds of call.

One interceptor for each kind runs all steps. A grpc.aio channel takes an interceptor for the first
kind that it is an instance of, so one class for all four would see unary calls only.
"""

import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import grpc

from grpc_service_kit.client.interceptors.outgoing import OutgoingCall, Step

_Prepare = Callable[[grpc.aio.ClientCallDetails], Coroutine[Any, Any, grpc.aio.ClientCallDetails]]


def intercept(steps: tuple[Step, ...]) -> list[grpc.aio.ClientInterceptor]:
    """Return the interceptors of a channel."""
    return [
        _UnaryUnary(partial(_prepare, steps, streaming=False)),
        _UnaryStream(partial(_prepare, steps, streaming=True)),
        _StreamUnary(partial(_prepare, steps, streaming=True)),
        _StreamStream(partial(_prepare, steps, streaming=True)),
    ]


async def _prepare(
    steps: tuple[Step, ...], details: Any, *, streaming: bool
) -> grpc.aio.ClientCallDetails:
    """Return the details after all steps.

    The metadata is copied: a caller may use its own for many calls.
    """
    method = details.method
    call = OutgoingCall(
        method=method.decode() if isinstance(method, bytes) else method,
        streaming=streaming,
        deadline=None if details.timeout is None else time.monotonic() + details.timeout,
        wait_for_ready=details.wait_for_ready,
        metadata=grpc.aio.Metadata(*(details.metadata or ())),
    )
    for step in steps:
        await step(call)
    return grpc.aio.ClientCallDetails(
        method, call.remaining(), call.metadata, details.credentials, call.wait_for_ready
    )


class _Interceptor:
    def __init__(self, prepare: _Prepare) -> None:
        self._prepare = prepare


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(await self._prepare(client_call_details), request)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(await self._prepare(client_call_details), request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self,
        continuation: Any,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await continuation(await self._prepare(client_call_details), request_iterator)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self,
        continuation: Any,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await continuation(await self._prepare(client_call_details), request_iterator)
