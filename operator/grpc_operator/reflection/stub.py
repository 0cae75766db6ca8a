"""Questions to a reflection server, and their answers.

``grpc.reflection.v1`` and ``v1alpha`` differ in their names only (grpc/grpc-proto), so the messages
of grpcio-reflection, which has v1alpha, serve both. Each question is a stream of its own: in a
longer one, grpc.aio reports a server without reflection now and then as INTERNAL, because a write
can fail before the status is read.
"""

from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.limits import MAX_INPUT_BYTES
from grpc_operator.reflection.reflection_error import INSTEAD, ReflectionError

VERSIONS = ("v1", "v1alpha")
"""In order of preference; v1alpha is what older servers have."""

MAX_RECEIVED = 16 * MAX_INPUT_BYTES
"""Most bytes of all answers: servers send a file again with every other one that imports it."""


class RefusedError(Exception):
    """The server has no answer to this question (``ErrorResponse``)."""


class Session:
    """Questions to one server.

    Args:
        channel: To the server.
        version: ``v1`` or ``v1alpha``.
    """

    def __init__(self, channel: grpc.aio.Channel, version: str) -> None:
        self._call: Any = channel.unary_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
        )
        self._received = 0

    async def services(self) -> list[str]:
        """Returns the full names of the services that the server lists.

        Raises:
            RefusedError: It lists none.
            ReflectionError: It cannot be understood.
            grpc.aio.AioRpcError: The call failed.
        """
        question = ServerReflectionRequest(list_services="")
        answer = await self._ask(question, "list_services_response")
        return [service.name for service in answer.list_services_response.service]

    async def files(self, question: ServerReflectionRequest) -> list[bytes]:
        """Returns the serialised FileDescriptorProtos that answer a question.

        Raises:
            RefusedError: The server has none.
            ReflectionError: It cannot be understood.
            grpc.aio.AioRpcError: The call failed.
        """
        answer = await self._ask(question, "file_descriptor_response")
        return list(answer.file_descriptor_response.file_descriptor_proto)

    async def _ask(self, question: ServerReflectionRequest, kind: str) -> ServerReflectionResponse:
        call = self._call(question.SerializeToString())
        try:
            answer = self._read(await call.read())
        finally:
            call.cancel()
        found = answer.WhichOneof("message_response")
        if found == "error_response":
            raise RefusedError(shown(answer.error_response.error_message))
        if found != kind:
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server answers reflection with {found or 'nothing'} instead of {kind};"
                f" {INSTEAD}",
            )
        return answer

    def _read(self, data: Any) -> ServerReflectionResponse:
        if data is grpc.aio.EOF:
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server ends the reflection stream without an answer; {INSTEAD}",
            )
        self._received += len(data)
        if self._received > MAX_RECEIVED:
            raise ReflectionError(
                Reason.REFLECTION_TOO_LARGE,
                f"the server sent more than {MAX_RECEIVED} bytes by reflection; {INSTEAD}",
            )
        try:
            return ServerReflectionResponse.FromString(data)
        except DecodeError as error:
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server's reflection answer is no protobuf; {INSTEAD}",
            ) from error
