"""The channel against real servers that fail, leave, come back, or are not there yet."""

import asyncio
import contextlib
import json
import os
import socket
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from grpc_service_kit.client import ClientOptions, RetryPolicy, Target, connect
from grpc_service_kit.testing.polling import TIMEOUT, attempts, until
from grpc_service_kit.testing.postgres import free_port
from kit_client_servers import (
    KINDS,
    NOT_SERVING,
    SERVICE,
    SERVING,
    Echo,
    Kind,
    every_kind,
    serving,
    unary_unary,
)

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EVERY = RetryPolicy(methods=("*",), initial_backoff_seconds=0.01, max_backoff_seconds=0.05)
HEALTH = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": SERVICE},
    }
)


async def _names(channel: grpc.aio.Channel, calls: int = 20) -> Counter[str]:
    """Call so often, and return how often each server answered."""
    answers = [await unary_unary(channel) for _ in range(calls)]
    return Counter(answer.partition(b":")[0].decode() for [answer] in answers)


async def test_calls_go_round_robin_over_all_addresses() -> None:
    async with serving(Echo("a")) as a, serving(Echo("b")) as b:
        target = f"ipv4:127.0.0.1:{a.port},127.0.0.1:{b.port}"
        async with connect(target) as channel:

            async def both() -> bool:
                return len(await _names(channel, 2)) == 2

            await until(both)

            assert await _names(channel, 20) == {"a": 10, "b": 10}


async def test_a_server_that_is_not_serving_is_left_alone_until_it_is_again() -> None:
    async with serving(Echo("a")) as a, serving(Echo("b")) as b:
        target = Target.parse(f"ipv4:127.0.0.1:{a.port},127.0.0.1:{b.port}", HEALTH)
        async with connect(target) as channel:

            async def both() -> bool:
                return len(await _names(channel)) == 2

            async def only_a() -> bool:
                return set(await _names(channel)) == {"a"}

            await until(both)
            await b.health.set(SERVICE, NOT_SERVING)
            await until(only_a)
            calls = len(b.seen)
            await _names(channel, 200)
            assert len(b.seen) == calls
            await b.health.set(SERVICE, SERVING)
            await until(both)


async def test_no_healthy_server_is_unavailable() -> None:
    async with serving(Echo("a")) as a:
        await a.health.set(SERVICE, NOT_SERVING)
        async with connect(Target.parse(a.target, HEALTH)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await unary_unary(channel)

    assert caught.value.code() is UNAVAILABLE
    assert a.seen == []


async def test_a_server_that_comes_back_is_used_again() -> None:
    a, b = Echo("a"), Echo("b")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(a))
        async with serving(b):
            target = f"ipv4:127.0.0.1:{a.port},127.0.0.1:{b.port}"
            channel = await stack.enter_async_context(connect(target, ClientOptions(retry=EVERY)))

            async def both() -> bool:
                return len(await _names(channel)) == 2

            await until(both)
        assert set(await _names(channel)) == {"a"}
        async with serving(b):
            await until(both)


# After a retry, a call with a stream of requests now and then never ends: so it is with a plain
# channel of grpc.aio 1.85 as well. Its deadline ends such a call, and it is made once more.
WITHIN = (10, 20, 60)


@every_kind
async def test_a_failed_call_is_made_again(kind: Kind) -> None:
    for attempt in attempts(*WITHIN):
        with attempt:
            async with (
                serving(Echo("a", failures=[UNAVAILABLE, UNAVAILABLE])) as a,
                connect(a.target, ClientOptions(retry=EVERY)) as channel,
            ):
                answers = await kind(channel, timeout=attempt.seconds)

    assert answers
    made = [seen.metadata.get("grpc-previous-rpc-attempts") for seen in a.seen]
    assert made == [None, "1", "2"]
    assert len({seen.metadata["x-request-id"] for seen in a.seen}) == 1


@every_kind
async def test_retries_end_with_the_last_attempt(kind: Kind) -> None:
    for attempt in attempts(*WITHIN):
        with attempt:
            async with (
                serving(Echo("a", failures=[UNAVAILABLE] * 9)) as a,
                connect(a.target, ClientOptions(retry=EVERY)) as channel,
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await kind(channel, timeout=attempt.seconds)
            assert caught.value.code() is UNAVAILABLE
            assert len(a.seen) == EVERY.attempts


@pytest.mark.parametrize(
    ("retry", "code"),
    [
        (None, UNAVAILABLE),
        (RetryPolicy(methods=(f"{SERVICE}/UnaryStream",)), UNAVAILABLE),
        (EVERY, grpc.StatusCode.INTERNAL),
    ],
    ids=["no-policy", "another-method", "another-code"],
)
async def test_other_calls_are_made_once(retry: RetryPolicy | None, code: grpc.StatusCode) -> None:
    async with (
        serving(Echo("a", failures=[code])) as a,
        connect(a.target, ClientOptions(retry=retry)) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary_unary(channel)

    assert caught.value.code() is code
    assert len(a.seen) == 1


async def test_retries_end_with_the_deadline() -> None:
    slow = RetryPolicy(methods=("*",), initial_backoff_seconds=90, max_backoff_seconds=90)
    async with (
        serving(Echo("a", failures=[UNAVAILABLE] * 9)) as a,
        connect(a.target, ClientOptions(retry=slow)) as channel,
    ):
        for attempt in attempts(0.2, 2, 20):
            with attempt:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await unary_unary(channel, timeout=attempt.seconds)
                assert a.seen

    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(a.seen) == 1


@pytest.mark.parametrize("host", ["ipv4:127.0.0.1", "dns:///localhost"])
async def test_connections_that_end_of_age_fail_no_call(host: str) -> None:
    """GOAWAY every 0.2 s, under load: new calls go to a new connection, retries off."""
    options = [("grpc.max_connection_age_ms", 200), ("grpc.max_connection_age_grace_ms", 60_000)]
    async with serving(Echo("a"), options) as a, connect(f"{host}:{a.port}") as channel:

        async def call_until_reconnected() -> None:
            while len({seen.peer for seen in a.seen}) < 6 or len(a.seen) < 100:
                for kind in KINDS.values():
                    assert await kind(channel)

        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*(call_until_reconnected() for _ in range(8)))


@every_kind
async def test_a_call_fails_at_once_when_nobody_is_there(kind: Kind) -> None:
    async with connect(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await kind(channel)

    assert caught.value.code() is UNAVAILABLE


@every_kind
async def test_a_call_that_waits_for_ready_waits_for_its_server(kind: Kind) -> None:
    port = free_port()
    options = ClientOptions(wait_for_ready=True)
    async with connect(f"127.0.0.1:{port}", options) as channel:
        call = asyncio.ensure_future(kind(channel))
        with pytest.raises(grpc.aio.AioRpcError):
            await kind(channel, wait_for_ready=False)
        assert not call.done()
        async with serving(Echo("a", port=port)):
            assert await call


@pytest.mark.parametrize("wait", [True, False])
async def test_a_name_without_addresses_is_waited_for_as_well(*, wait: bool) -> None:
    """As a headless Service is without ready pods."""
    options = ClientOptions(wait_for_ready=wait)
    async with connect("no-such-name.invalid:1", options) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary_unary(channel, timeout=0.5 if wait else TIMEOUT)

    expected = grpc.StatusCode.DEADLINE_EXCEEDED if wait else UNAVAILABLE
    assert caught.value.code() is expected


@every_kind
async def test_a_message_above_the_limit_is_refused(kind: Kind) -> None:
    large = b"x" * 100
    async with serving(Echo("a" * 100)) as a:
        async with connect(a.target, ClientOptions(max_message_bytes=64)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as received:
                await kind(channel)
            with pytest.raises(grpc.aio.AioRpcError) as sent:
                await channel.unary_unary(f"/{SERVICE}/UnaryUnary", bytes, bytes)(large)
        calls = len(a.seen)

    assert received.value.code() is sent.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert calls == 1


async def test_unacknowledged_data_ends_a_connection_after_the_keepalive_timeout() -> None:
    """TCP_USER_TIMEOUT of the client's socket, in milliseconds (gRFC A18)."""
    options = ClientOptions(keepalive_timeout_seconds=7)
    async with serving(Echo("a")) as a, connect(a.target, options) as channel:
        await unary_unary(channel)

        assert _user_timeouts(a.port) == [7000]


def _user_timeouts(port: int) -> list[int]:
    """Return the timeout of each socket of this process that is connected to the port."""
    found = []
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(file.name))) as copy:
            if copy.getpeername()[1:2] == (port,):
                found.append(copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
    return found


@pytest.mark.parametrize(("size", "attempts"), [(200 * 1024, 2), (300 * 1024, 1)])
async def test_a_request_that_is_too_large_to_keep_is_not_made_again(
    size: int, attempts: int
) -> None:
    async with (
        serving(Echo("a", failures=[UNAVAILABLE])) as a,
        connect(a.target, ClientOptions(retry=EVERY)) as channel,
    ):
        call = channel.unary_unary(f"/{SERVICE}/UnaryUnary", bytes, bytes)(b"x" * size)
        code = await call.code()

    assert len(a.seen) == attempts
    assert (code is grpc.StatusCode.OK) == (attempts == 2)
