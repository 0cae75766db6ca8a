"""The Echo service as a process: delays, numbered streams, health, reflection, and a drain.

Environment: ``ECHO_PACKAGE`` (such as ``load.a``), ``ECHO_EXTENDED`` (``on`` for the second version
of the schema), ``ECHO_PORT`` (50051), ``ECHO_INSTANCE`` (the host's name),
``ECHO_LOG`` (a file that gets the number of every Say before it is answered), and
``GRPC_DRAIN_SECONDS``, which the operator sets.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tests.load.schema import Echo, serialize

_Context = grpc.aio.ServicerContext[Any, Any]


class EchoServicer:
    """Answers the three methods of an Echo service."""

    def __init__(self, messages: dict[str, type[Message]], instance: str) -> None:
        self._messages = messages
        self._instance = instance
        log = os.environ.get("ECHO_LOG")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._log = os.open(log, flags) if log else None

    async def say(self, request: Any, _context: _Context) -> Message:
        """Returns the number it got, after the delay that was asked for."""
        if self._log is not None:
            os.write(self._log, f"{request.number}\n".encode())
        if request.delay_ms:
            await asyncio.sleep(request.delay_ms / 1000)
        return self._messages["SayReply"](number=request.number, instance=self._instance)

    async def count(self, request: Any, _context: _Context) -> AsyncIterator[Message]:
        """Counts from 0, one message each interval."""
        began, interval = time.monotonic(), request.interval_ms / 1000
        for position in range(request.messages):
            await asyncio.sleep(began + position * interval - time.monotonic())
            yield self._messages["CountReply"](position=position)

    async def chat(
        self, requests: AsyncIterable[Message], _context: _Context
    ) -> AsyncIterator[Message]:
        """Sends every message back."""
        async for message in requests:
            yield message

    def handler(self, echo: Echo) -> grpc.GenericRpcHandler:
        """Returns what a server needs to serve it."""
        kinds: dict[str, tuple[Any, Any, str]] = {
            "Say": (grpc.unary_unary_rpc_method_handler, self.say, "SayRequest"),
            "Count": (grpc.unary_stream_rpc_method_handler, self.count, "CountRequest"),
            "Chat": (grpc.stream_stream_rpc_method_handler, self.chat, "ChatMessage"),
        }
        handlers = {
            name: kind(
                serve,
                request_deserializer=self._messages[request].FromString,
                response_serializer=serialize,
            )
            for name, (kind, serve, request) in kinds.items()
        }
        return grpc.method_handlers_generic_handler(echo.service, handlers)


async def start(echo: Echo, port: int) -> tuple[grpc.aio.Server, int]:
    """Starts a server on every address; port 0 takes a free one. Returns it and its port."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    instance = os.environ.get("ECHO_INSTANCE", socket.gethostname())
    servicer = EchoServicer(echo.messages(), instance)
    server.add_generic_rpc_handlers((servicer.handler(echo),))
    healthy = health.aio.HealthServicer()
    await healthy.set(echo.service, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (echo.service, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    port = server.add_insecure_port(f"[::]:{port}")
    await server.start()
    return server, port


async def serve() -> None:
    """Serves until SIGTERM, then finishes the running calls."""
    echo = Echo(os.environ["ECHO_PACKAGE"], extended=os.environ.get("ECHO_EXTENDED") == "on")
    server, port = await start(echo, int(os.environ.get("ECHO_PORT", "50051")))
    print(f"{echo.service} listens on {port}", flush=True)  # noqa: T201 - a command-line tool
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop(float(os.environ.get("GRPC_DRAIN_SECONDS", "25")))


if __name__ == "__main__":
    asyncio.run(serve())
