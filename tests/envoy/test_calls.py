"""The harness itself: each kind of call arrives, and errors are distinguished."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2

from tests.envoy.calls import Schema, frame, frames, grpc_call, grpc_web, http, rest
from tests.envoy.configuration import Service
from tests.envoy.conftest import Control, StartEnvoy
from tests.envoy.test_lifecycle import started
from tests.envoy.upstream import serving

pytestmark = pytest.mark.envoy

STREAM = "one.Echo/Stream"
REFUSE = "one.Echo/Refuse"


def schema() -> Schema:
    """Returns the service of this file: requests and replies with one text."""
    file = descriptor_pb2.FileDescriptorProto(name="one.proto", package="one", syntax="proto3")
    field = file.message_type.add(name="Text").field.add(name="text", number=1)
    field.type, field.label = field.TYPE_STRING, field.LABEL_OPTIONAL
    methods = file.service.add(name="Echo").method
    for name in ("Stream", "Refuse"):
        methods.add(name=name, input_type=".one.Text", output_type=".one.Text")
    return Schema(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())


async def _stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    await context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-last", "2"),))
    async for request in requests:
        yield request
        yield request


async def _refuse(_: bytes, context: Any) -> bytes:
    await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: 100 %")
    raise AssertionError


HANDLERS = grpc.method_handlers_generic_handler(
    "one.Echo",
    {
        "Stream": grpc.stream_stream_rpc_method_handler(_stream),
        "Refuse": grpc.unary_unary_rpc_method_handler(_refuse),
    },
)


async def test_the_same_answers_and_errors_by_grpc_and_grpc_web(
    control: Control, start_envoy: StartEnvoy
) -> None:
    texts = schema()
    request = texts.request(STREAM, {"text": "hä"})
    async with serving(HANDLERS) as upstream:
        envoy = await started(control, start_envoy, Service("one", (upstream,)))
        port = await envoy.port()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            streams = [
                await grpc_call(channel, STREAM, request),
                await grpc_web(port, STREAM, request),
                await grpc_web(port, STREAM, request, text=True),
            ]
            both = await grpc_call(channel, STREAM, request, texts.request(STREAM, {"text": "2"}))
            errors = [
                await grpc_call(channel, REFUSE, request),
                await grpc_web(port, REFUSE, request),
                await grpc_web(port, REFUSE, request, text=True),
            ]
        absent = await rest(port, "POST", "/nothing", data={"a": 1})
        plain = await http(port, "GET", "/nothing")
    for reply in streams:
        assert (reply.code, reply.message) == (0, "")
        assert texts.replies(STREAM, reply) == [{"text": "hä"}] * 2
        assert (reply.headers["x-first"], reply.trailers["x-last"]) == ("1", "2")
    assert [text["text"] for text in texts.replies(STREAM, both)] == ["hä", "hä", "2", "2"]
    for reply in errors:
        assert (reply.code, reply.message) == (5, "no such thing: 100 %")
        assert reply.messages == ()
    assert (absent.status, plain.status) == (404, 404)


def test_a_frame_that_is_cut_is_an_error() -> None:
    assert frames(frame(b"one") + frame(b"two", 0x80)) == [(0, b"one"), (0x80, b"two")]
    with pytest.raises(ValueError, match="cut frame"):
        frames(frame(b"one")[:-1])
