"""One DNS name with the addresses of all pods, as a headless Service has: pods come and go."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack

import grpc

from grpc_service_kit.client import ClientOptions, connect
from grpc_service_kit.testing.polling import until
from grpc_service_kit.testing.postgres import free_port
from kit_client_names import naming
from kit_client_servers import Echo, serving, unary_unary

AGE = [("grpc.max_connection_age_ms", 300), ("grpc.max_connection_age_grace_ms", 60_000)]
FAST = ClientOptions(min_resolution_seconds=0.2)


def _pod(number: int, port: int) -> Echo:
    return Echo(f"pod{number}", host=f"127.0.0.{number}", port=port)


async def _answering(channel: grpc.aio.Channel, calls: int = 20) -> Counter[str]:
    answers = [await unary_unary(channel) for _ in range(calls)]
    return Counter(answer.partition(b":")[0].decode() for [answer] in answers)


async def test_calls_go_round_robin_over_all_addresses_of_a_name() -> None:
    port = free_port()
    async with (
        serving(_pod(1, port)),
        serving(_pod(2, port)),
        naming("127.0.0.1", "127.0.0.2") as names,
        connect(f"dns://127.0.0.1:{names.port}/users.test:{port}") as channel,
    ):

        async def both() -> bool:
            return len(await _answering(channel, 2)) == 2

        await until(both)

        assert await _answering(channel, 20) == {"pod1": 10, "pod2": 10}


async def test_pods_that_come_and_go_are_followed_without_a_failed_call() -> None:
    """A name is looked up again when a connection ends, which MAX_CONNECTION_AGE sees to."""
    port = free_port()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(_pod(1, port), AGE))
        names = await stack.enter_async_context(naming("127.0.0.1"))
        target = f"dns://127.0.0.1:{names.port}/users.test:{port}"
        channel = await stack.enter_async_context(connect(target, FAST))
        assert set(await _answering(channel)) == {"pod1"}

        await stack.enter_async_context(serving(_pod(2, port), AGE))
        names.addresses = ["127.0.0.1", "127.0.0.2"]

        async def scaled_up() -> bool:
            return len(await _answering(channel)) == 2

        await until(scaled_up)
        names.addresses = ["127.0.0.2"]

        async def scaled_down() -> bool:
            return set(await _answering(channel)) == {"pod2"}

        await until(scaled_down)


async def test_a_service_without_ready_pods_is_waited_for() -> None:
    """Until the first one is ready, the name of a headless Service does not exist."""
    port = free_port()
    async with naming() as names, serving(_pod(1, port)):
        target = f"dns://127.0.0.1:{names.port}/users.test:{port}"
        async with connect(target, ClientOptions(wait_for_ready=True)) as channel:
            call = asyncio.ensure_future(unary_unary(channel))

            async def asked() -> bool:
                return bool(names.asked)

            await until(asked)
            names.addresses = ["127.0.0.1"]

            assert await call == [b"pod1:1"]


async def test_lookups_keep_their_distance() -> None:
    """With connections that end all the time, there is one lookup in `min_resolution_seconds`."""
    port = free_port()
    options = ClientOptions(min_resolution_seconds=0.5)
    async with (
        serving(_pod(1, port), [("grpc.max_connection_age_ms", 50)]) as pod,
        naming("127.0.0.1") as names,
        connect(f"dns://127.0.0.1:{names.port}/users.test:{port}", options) as channel,
    ):
        began = time.monotonic()

        async def twenty_connections() -> bool:
            await unary_unary(channel)
            return len({seen.peer for seen in pod.seen}) >= 20

        await until(twenty_connections)

    assert len(names.asked) > 1
    for number, asked in enumerate(names.asked):  # The first one may come twice.
        assert asked - began > (number - 2) * 0.5
