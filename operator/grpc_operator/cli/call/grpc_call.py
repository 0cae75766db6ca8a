"""A call by gRPC."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from grpc_operator.cli.call import metadata
from grpc_operator.cli.call.parts import Answer, Headers, Outcome, Pairs, Part
from grpc_operator.cli.call.schema import Schema
from grpc_operator.cli.call.transport import MOST_BYTES, Call, Requests

DETAILS = "grpc-status-details-bin"
"""Trailer with a ``google.rpc.Status``."""


async def parts(call: Call, requests: Requests) -> AsyncIterator[Part]:
    """Yields what comes back.

    Raises:
        CliError: A request is not valid, or a response.
    """
    options = [
        ("grpc.default_authority", call.authority),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", MOST_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    async with grpc.aio.insecure_channel(call.target, options=options) as channel:
        stubs: Any = channel  # bytes go through as they are
        sent = {"timeout": call.deadline, "metadata": metadata.for_grpc(call.metadata)}
        if call.called.streams_requests:
            stream = stubs.stream_stream(f"/{call.called.name}")(**sent)
            sending = asyncio.create_task(_send(stream, requests))
        else:
            (message,) = [each async for each in requests]
            stream = stubs.unary_stream(f"/{call.called.name}")(message.SerializeToString(), **sent)
            sending = asyncio.create_task(asyncio.sleep(0))
        try:
            async for part in _received(call, stream):
                yield part
            if sending.done() and not sending.cancelled():
                sending.result()
        finally:
            sending.cancel()
            stream.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    yield await _outcome(call.schema, stream)


async def _send(stream: Any, requests: Requests) -> None:
    """Sends messages until there are no more, or the call has ended."""
    try:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            async for each in requests:
                await stream.write(each.SerializeToString())
            await stream.done_writing()
    except BaseException:
        stream.cancel()
        raise


async def _received(call: Call, stream: Any) -> AsyncIterator[Part]:
    try:
        headers = await stream.initial_metadata()
        if headers is not None and len(headers):
            yield Headers(metadata.from_grpc(headers))
        async for data in stream:
            yield Answer(call.schema.read(data, call.called.response))
    except grpc.aio.AioRpcError:
        return  # the status is read later
    except asyncio.CancelledError:
        if not stream.cancelled() or asyncio.current_task().cancelling():  # type: ignore[union-attr]
            raise


async def _outcome(schema: Schema, stream: Any) -> Outcome:
    code = await stream.code()
    trailers = metadata.from_grpc(await stream.trailing_metadata())
    return outcome(schema, int(code.value[0]), await stream.details() or "", trailers)


def outcome(schema: Schema, code: int, message: str, trailers: Pairs) -> Outcome:
    """Returns an outcome with the details that the trailers have."""
    try:
        status = status_pb2.Status.FromString(metadata.binary(trailers, DETAILS))
    except DecodeError:
        status = status_pb2.Status()
    return Outcome(code, message, schema.details(status.details), trailers)
