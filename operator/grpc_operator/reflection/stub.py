"""Requests to a reflection server, and its responses.

``grpc.reflection.v1`` and ``v1alpha`` differ in their names only (grpc/grpc-proto), so the messages
of grpcio-reflection, which has v1alpha, serve both. Each request is a stream of its own: in a
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

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.reflection.reflection_error import INSTEAD, ReflectionError

VERSIONS = ("v1", "v1alpha")
"""In order of preference; v1alpha is what older servers have."""


class RefusedError(Exception):
    """The server responded with an error (``ErrorResponse``)."""


class ReflectionStub:
    """The calls to one server.

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
            ReflectionError: Its response is not valid.
            grpc.aio.AioRpcError: The call failed.
        """
        request = ServerReflectionRequest(list_services="")
        response = await self._send(request, "list_services_response")
        return [service.name for service in response.list_services_response.service]

    async def files(self, request: ServerReflectionRequest) -> list[bytes]:
        """Returns the serialised FileDescriptorProtos of a response.

        Raises:
            RefusedError: The server has none.
            ReflectionError: Its response is not valid.
            grpc.aio.AioRpcError: The call failed.
        """
        response = await self._send(request, "file_descriptor_response")
        return list(response.file_descriptor_response.file_descriptor_proto)

    async def _send(self, request: ServerReflectionRequest, kind: str) -> ServerReflectionResponse:
        call = self._call(request.SerializeToString())
        try:
            response = self._read(await call.read())
        finally:
            call.cancel()
        found = response.WhichOneof("message_response")
        if found == "error_response":
            raise RefusedError(shown(response.error_response.error_message))
        if found != kind:
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server responds to reflection with {found or 'nothing'} instead of {kind};"
                f" {INSTEAD}",
            )
        return response

    def _read(self, data: Any) -> ServerReflectionResponse:
        if data is grpc.aio.EOF:
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server ends the reflection stream without a response; {INSTEAD}",
            )
        self._received += len(data)
        if self._received > limits.REFLECTION_BYTES.value:
            raise ReflectionError(
                Reason.REFLECTION_TOO_LARGE,
                f"the server sent more than {limits.REFLECTION_BYTES} bytes by reflection;"
                f" {INSTEAD}",
            )
        try:
            return ServerReflectionResponse.FromString(data)
        except DecodeError as error:
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server's reflection response is not valid protobuf; {INSTEAD}",
            ) from error
