"""Handlers: what a servicer registers, with the interceptors around it, as gRPC wants it.

One function is composed for each method when the server is built. grpc.aio's own interceptors are
asked again for every call, and each would make a new handler of its own.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

import grpc

from grpc_service_kit import context, unknown_methods
from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.errors import Unimplemented

LiveCalls = dict[asyncio.Task[Any], Call]
"""The calls that run now, by their tasks."""


class Handlers(grpc.GenericRpcHandler):
    """The composed handlers of a server, by method."""

    def __init__(self, interceptors: tuple[Interceptor, ...]) -> None:
        """Compose with these interceptors, outermost first."""
        self.live: LiveCalls = {}
        self.draining = asyncio.Event()
        """Set when the server begins to end."""
        self.services: list[str] = []
        """Full names, in the order in which they came."""
        self._interceptors = interceptors
        self._by_path: dict[str, type[Call]] = {}
        self._unknown = self._composed(unknown_methods.METHOD, unknown_methods.refuse)

    @property
    def methods(self) -> set[str]:
        """Full names: `package.Service/Method`."""
        return {call.method.name for call in self._by_path.values()}

    def add(
        self,
        service: str,
        handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]],
        *,
        infrastructure: bool = False,
    ) -> None:
        """Take the handlers of a service by short method name; raise TypeError for a sync one."""
        self.services.append(service)
        for name, handler in handlers.items():
            method = Method(
                f"/{service}/{name}",
                bool(handler.request_streaming),
                bool(handler.response_streaming),
                handler.request_deserializer,
                handler.response_serializer,
                infrastructure,
            )
            proceed = _innermost(method, _behaviour(handler))
            self._by_path[method.path] = self._composed(method, proceed)

    def _composed(self, method: Method, proceed: Proceed) -> type[Call]:
        """Return the class of a method's calls, with every interceptor around them."""
        for interceptor in reversed(self._interceptors):
            proceed = interceptor(method, proceed)
        return _call_type(method, proceed, self)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler of a call, which is the call itself; gRPC asks for every one."""
        call_type = self._by_path.get(handler_call_details.method)
        # gRPC makes the metadata anew for everybody who asks its context for it.
        if call_type is not None:
            return call_type(handler_call_details.invocation_metadata)
        unknown = self._unknown(handler_call_details.invocation_metadata)
        unknown.path = handler_call_details.method
        return unknown


def _call_type(method: Method, proceed: Proceed, server: Handlers) -> type[Call]:
    """Return the class of a method's calls, with what grpc.RpcMethodHandler has."""
    current_task, live, draining = asyncio.current_task, server.live, server.draining

    async def behaviour(call: Call, request: Any, servicer_context: Any) -> Any:
        task = current_task()
        assert task is not None  # noqa: S101 a coroutine that runs has one
        call.context = servicer_context
        call.task = task
        context.draining.set(draining)
        live[task] = call
        try:
            return await proceed(call, request)
        finally:
            del live[task]

    # gRPC would read the only request of a call before it asks the handler, which could then not
    # end a call that sends none: `admission.py` reads it.
    kind = "stream_stream" if method.response_streaming else "stream_unary"
    fields = {
        "__slots__": (),
        "method": method,
        "request_streaming": True,
        "response_streaming": method.response_streaming,
        # Messages that are no stream stay bytes: `codec.py` turns them, inside the error table.
        "request_deserializer": staticmethod(method.request_deserializer)
        if method.request_streaming and method.request_deserializer
        else None,
        "response_serializer": staticmethod(method.response_serializer)
        if method.response_streaming and method.response_serializer
        else None,
        kind: behaviour,
    }
    return type("Call", (Call,), fields)


def _behaviour(handler: grpc.RpcMethodHandler[Any, Any]) -> Callable[..., Any]:
    every: Iterable[Callable[..., Any] | None] = (
        handler.unary_unary,
        handler.unary_stream,
        handler.stream_unary,
        handler.stream_stream,
    )
    return next(behaviour for behaviour in every if behaviour is not None)


def _innermost(method: Method, behaviour: Callable[..., Any]) -> Proceed:
    if inspect.isasyncgenfunction(behaviour):
        return _generated(behaviour)
    if inspect.iscoroutinefunction(behaviour):
        return _awaited(behaviour)
    if str(getattr(behaviour, "__module__", "")).endswith("_pb2_grpc"):
        return _unimplemented(method)  # The generated base class: the servicer lacks the method.
    raise TypeError(
        f"{method.name}: is a plain function, which would block every other call; define it with"
        " `async def`, and move blocking work into `asyncio.to_thread`"
    )


def _awaited(behaviour: Callable[..., Any]) -> Proceed:
    async def proceed(call: Call, request: Any) -> Any:
        return await behaviour(request, call.context)

    return proceed


def _generated(behaviour: Callable[..., Any]) -> Proceed:
    async def proceed(call: Call, request: Any) -> None:
        write = call.context.write
        # Closed at once when the client goes, not when the garbage collector comes by.
        async with aclosing(behaviour(request, call.context)) as responses:
            async for response in responses:
                await write(response)

    return proceed


def _unimplemented(method: Method) -> Proceed:
    async def proceed(_call: Call, _request: Any) -> None:
        raise Unimplemented(f"{method.name} is not implemented by this server")

    return proceed
