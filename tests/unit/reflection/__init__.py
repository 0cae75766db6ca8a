"""Server reflection, and servers that have it."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

Servicer = Callable[
    [AsyncIterator[ServerReflectionRequest], Any], AsyncIterator[ServerReflectionResponse]
]
Answer = Callable[[ServerReflectionRequest], ServerReflectionResponse | None]


@asynccontextmanager
async def serving(servicer: Servicer | None, versions: Iterable[str] = ()) -> AsyncIterator[str]:
    """Runs a server on loopback with some versions of reflection, and gives its address."""
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    for version in versions:
        assert servicer is not None
        handler = grpc.stream_stream_rpc_method_handler(
            servicer,
            request_deserializer=ServerReflectionRequest.FromString,
            response_serializer=_serialised,
        )
        service = f"grpc.reflection.{version}.ServerReflection"
        generic = grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": handler})
        server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def answering(answer: Answer) -> Servicer:
    """Returns a servicer with an answer to each question; ``None`` ends the stream."""

    async def servicer(
        questions: AsyncIterator[ServerReflectionRequest], _: Any
    ) -> AsyncIterator[ServerReflectionResponse]:
        async for question in questions:
            found = answer(question)
            if found is None:
                return
            yield found

    return servicer


def _serialised(answer: ServerReflectionResponse | bytes) -> bytes:
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
