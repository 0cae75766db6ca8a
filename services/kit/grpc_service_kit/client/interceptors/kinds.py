"""Runs the steps before every call: the only place that knows gRPC's four kinds of call.

One interceptor for each kind runs all steps. A grpc.aio channel takes an interceptor for the first
kind that it is an instance of, so one class for all four would see unary calls only.
"""

import time
from typing import Any

import grpc

from grpc_service_kit.client.interceptors.outcome import Outcomes, observe
from grpc_service_kit.client.interceptors.outgoing import OutgoingCall, Step


def intercept(steps: tuple[Step, ...], outcomes: Outcomes) -> list[grpc.aio.ClientInterceptor]:
    """Return the interceptors of a channel."""
    return [
        _UnaryUnary(steps, outcomes),
        _UnaryStream(steps, outcomes),
        _StreamUnary(steps, outcomes),
        _StreamStream(steps, outcomes),
    ]


class _Interceptor:
    requests = False
    """Whether there may be more than one."""
    responses = False

    def __init__(self, steps: tuple[Step, ...], outcomes: Outcomes) -> None:
        self._steps = steps
        self._outcomes = outcomes

    async def _call(self, continuation: Any, details: Any, request: Any) -> Any:
        """Prepare a call, send it, and have its end observed."""
        method = details.method
        path = method.decode() if isinstance(method, bytes) else method
        ended = self._outcomes.begin(path, requests=self.requests, responses=self.responses)
        try:
            running = await continuation(await self._prepared(path, details), request)
        except grpc.aio.AioRpcError as error:
            ended(error.code(), error.details() or "")
            raise
        except BaseException:
            ended(grpc.StatusCode.CANCELLED, "")
            raise
        observe(running, ended)
        return running

    async def _prepared(self, path: str, details: Any) -> grpc.aio.ClientCallDetails:
        """Return the details after all steps.

        The metadata is copied: a caller may use its own for many calls.
        """
        call = OutgoingCall(
            method=path,
            streaming=self.requests or self.responses,
            deadline=None if details.timeout is None else time.monotonic() + details.timeout,
            wait_for_ready=details.wait_for_ready,
            metadata=grpc.aio.Metadata(*(details.metadata or ())),
        )
        for step in self._steps:
            await step(call)
        return grpc.aio.ClientCallDetails(
            details.method,
            call.remaining(),
            call.metadata,
            details.credentials,
            call.wait_for_ready,
        )


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await self._call(continuation, client_call_details, request)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    responses = True

    async def intercept_unary_stream(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await self._call(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    requests = True

    async def intercept_stream_unary(
        self,
        continuation: Any,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await self._call(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    requests = responses = True

    async def intercept_stream_stream(
        self,
        continuation: Any,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await self._call(continuation, client_call_details, request_iterator)
