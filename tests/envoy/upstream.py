"""A plain grpc.aio server to stand behind Envoy."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

Unary = Callable[[bytes, Any], Awaitable[bytes]]
"""Answers the bytes of a request; gets the servicer context too."""


class AnyMethod(grpc.GenericRpcHandler):
    """Answers every unary method of every service with one function."""

    def __init__(self, answer: Unary) -> None:
        self._handler: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(answer)

    def service(self, _: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the same handler for each method."""
        return self._handler


def says(text: bytes) -> AnyMethod:
    """Returns a handler whose every answer is ``text``."""

    async def answer(_: bytes, _context: Any) -> bytes:
        return text

    return AnyMethod(answer)


@asynccontextmanager
async def serving(*handlers: grpc.GenericRpcHandler) -> AsyncIterator[int]:
    """Serves handlers on a free port of loopback, which it yields; takes messages of any size."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
