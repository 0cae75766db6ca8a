"""Bytes to messages and back, where the error table sees what goes wrong.

gRPC itself answers UNKNOWN with the text of the exception; gRPC's status code table wants INTERNAL
(https://grpc.github.io/grpc/core/md_doc_statuscodes.html). Requests and responses that are streamed
are read and written by gRPC's context inside the handler, so their errors come the same way.
"""

from collections.abc import Callable
from typing import Any

from grpc_service_kit.call import Call, Method, Proceed


def convert_messages(method: Method, proceed: Proceed) -> Proceed:
    """Decode the request and encode the response of the sides that are no stream."""
    decode, encode = method.request_deserializer, method.response_serializer
    if method.request_streaming:
        decode = None
    if method.response_streaming:
        encode = None
    return _decoding(decode, _encoding(encode, proceed))


def _decoding(decode: Callable[[bytes], Any] | None, proceed: Proceed) -> Proceed:
    if decode is None:
        return proceed

    async def call(call: Call, request: Any) -> Any:
        return await proceed(call, decode(request))

    return call


def _encoding(encode: Callable[[Any], bytes] | None, proceed: Proceed) -> Proceed:
    if encode is None:
        return proceed

    async def call(call: Call, request: Any) -> Any:
        response = await proceed(call, request)
        if response is None and call.context.code():
            return b""  # The handler has set a status instead.
        return encode(response)

    return call
