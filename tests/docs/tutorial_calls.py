"""Calls to the service that makes mistakes, and what they end with."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from tests.docs.tutorial_server import ASK, WATCH
from tests.waiting import HANG


def to(port: int, *options: tuple[str, int]) -> grpc.aio.Channel:
    """Returns a channel as every library makes it: without anything of the kit's."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options)


async def ask(channel: grpc.aio.Channel, value: str = "hello", **options: Any) -> str:
    """Makes a unary call and returns what is answered."""
    call = channel.unary_unary(ASK, StringValue.SerializeToString, StringValue.FromString)
    answer: StringValue = await call(StringValue(value=value), **options)
    return answer.value


def watch(channel: grpc.aio.Channel) -> Any:
    """Begins a stream of answers."""
    call = channel.unary_stream(WATCH, StringValue.SerializeToString, StringValue.FromString)
    return call(StringValue(value="hello"), timeout=HANG)


async def read(call: Any) -> None:
    """Reads a stream to its end."""
    async for _ in call:
        pass


async def while_it_runs(channel: grpc.aio.Channel, stream: Any) -> None:
    """Makes calls until a stream has ended, and one more; each of them must be answered."""
    while not stream.done():
        await ask(channel, timeout=HANG)
    await ask(channel, timeout=HANG)


def begun(channel: grpc.Channel, value: str) -> Any:
    """Begins a call that the server works on by the time of the return."""
    method: Any = channel.unary_unary(ASK, StringValue.SerializeToString, StringValue.FromString)
    call = method.future(StringValue(value=value), timeout=HANG)
    method(StringValue(value="after it on the same connection"), timeout=HANG)
    return call


async def failure(call: Awaitable[Any]) -> str:
    """Waits for a call that must fail, and returns how it does."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(call, HANG)
    return words(caught.value)


def words(error: Any) -> str:
    """Returns an error as the page writes it."""
    return f"{error.code().name}: {error.details()}"
