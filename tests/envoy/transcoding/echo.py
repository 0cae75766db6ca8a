"""The gRPC server behind the corpus: it records requests, and echoes them or what the case says.

On the wire every kind of call is a stream of both directions, so one generic handler serves all.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.rpc import error_details_pb2, status_pb2

from tests.envoy.transcoding.corpus import Group, Rpc, descriptor_set


class Echo(grpc.GenericRpcHandler):
    """Every method of some case files."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._received: list[Any] = []
        self._methods = {
            f"/{group.service}/{name}": method
            for group in groups
            for name, method in self._group(group).items()
        }

    def take(self) -> list[Any]:
        """Returns the requests received since the last time, as canonical JSON."""
        taken, self._received = self._received, []
        return taken

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Returns the handler of a method."""
        return self._methods.get(details.method)

    def _group(self, group: Group) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set(group)).file:
            pool.Add(file)
        methods = pool.FindServiceByName(group.service).methods_by_name
        return {rpc.rpc: self._method(rpc, methods[rpc.rpc], pool) for rpc in group.rpcs}

    def _method(
        self, rpc: Rpc, method: Any, pool: descriptor_pool.DescriptorPool
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        takes = message_factory.GetMessageClass(method.input_type)
        returns = message_factory.GetMessageClass(method.output_type)

        async def answer(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
            async for request in requests:
                self._received.append(json_format.MessageToDict(request, descriptor_pool=pool))
                if rpc.echoes:
                    yield request
            for reply in rpc.replies or ():
                yield json_format.ParseDict(reply, returns(), descriptor_pool=pool)
            if rpc.fails is not None:
                await context.abort(grpc.StatusCode[rpc.fails[0]], rpc.fails[1], _details(rpc))

        return grpc.stream_stream_rpc_method_handler(
            answer,
            request_deserializer=takes.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )


def _details(rpc: Rpc) -> tuple[tuple[str, bytes], ...]:
    """Returns the trailing metadata that carries error details (grpc/grpc, status codes)."""
    if rpc.fails is None or not rpc.details:
        return ()
    known = error_details_pb2.DESCRIPTOR.pool
    status = status_pb2.Status(code=grpc.StatusCode[rpc.fails[0]].value[0], message=rpc.fails[1])
    for detail in rpc.details:
        json_format.ParseDict(detail, status.details.add(), descriptor_pool=known)
    return (("grpc-status-details-bin", status.SerializeToString()),)
