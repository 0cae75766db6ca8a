"""WatchOrders: every change once, for watchers that come, go, resume and are slow."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from sqlalchemy import URL

from grpc_service_kit.testing.polling import TIMEOUT
from order.v1 import order_pb2
from order_world import CANCELLED, CONFIRMED, PENDING, Others, World, world_with

pytestmark = pytest.mark.asyncio(loop_scope="module")

Changes = list[tuple[str, Any]]


def watch(world: World, **request: Any) -> AsyncIterator[order_pb2.WatchOrdersResponse]:
    call = world.orders.WatchOrders(order_pb2.WatchOrdersRequest(**request), timeout=TIMEOUT)
    return aiter(call)


async def take(
    watching: AsyncIterator[order_pb2.WatchOrdersResponse], count: int
) -> list[order_pb2.WatchOrdersResponse]:
    return [await anext(watching) for _ in range(count)]


def changes(responses: list[order_pb2.WatchOrdersResponse]) -> Changes:
    return [(response.order.id, response.order.status) for response in responses]


async def position(world: World) -> int:
    (first,) = await take(watch(world), 1)
    assert not first.HasField("order")
    return first.sequence


async def test_changes_come_in_order_with_the_order_as_each_left_it(world: World) -> None:
    user, lamp = await world.user(), await world.product()
    watching = watch(world)
    (start,) = await take(watching, 1)
    order = await world.place(user, lamp, 2)
    cancelled = await world.cancel(order.id)
    seen = await take(watching, 3)

    assert changes(seen) == [(order.id, PENDING), (order.id, CONFIRMED), (order.id, CANCELLED)]
    assert [response.sequence - start.sequence for response in seen] == [1, 2, 3]
    assert [response.order for response in seen[1:]] == [order, cancelled]


async def test_a_watcher_that_resumes_misses_nothing_and_gets_nothing_twice(world: World) -> None:
    user, lamp = await world.user(), await world.product(1000)
    start = await position(world)
    placing = asyncio.gather(*(world.place(user, lamp) for _ in range(40)))
    seen: list[order_pb2.WatchOrdersResponse] = []
    while len(seen) < 80:  # Each time a new call, which ends after a few changes.
        last = seen[-1].sequence if seen else start
        watching = watch(world, after_sequence=last)
        (first,) = await take(watching, 1)
        assert first == order_pb2.WatchOrdersResponse(sequence=last)
        seen += await take(watching, min(7, 80 - len(seen)))
    placed = {order.id for order in await placing}

    assert [response.sequence for response in seen] == list(range(start + 1, start + 81))
    assert sorted(changes(seen)) == sorted(
        (order_id, status) for order_id in placed for status in (PENDING, CONFIRMED)
    )


async def test_a_user_sees_its_own_orders_only(world: World) -> None:
    ada, grace, lamp = await world.user(), await world.user(), await world.product()
    start = await position(world)
    others, mine = await world.place(grace, lamp), await world.place(ada, lamp)
    last = await world.place(grace, lamp)

    _, *seen = await take(watch(world, after_sequence=start, user_id=ada.upper()), 3)
    assert changes(seen) == [(mine.id, PENDING), (mine.id, CONFIRMED)]
    _, *seen = await take(watch(world, after_sequence=start, user_id=grace), 5)
    assert changes(seen) == [
        (order.id, status) for order in (others, last) for status in (PENDING, CONFIRMED)
    ]


async def test_the_whole_history_can_be_read(world: World) -> None:
    await world.place(await world.user(), await world.product())
    last = await position(world)
    _, *seen = await take(watch(world, after_sequence=0), last + 1)

    assert [response.sequence for response in seen] == list(range(1, last + 1))


async def test_many_watchers_see_the_same(world: World) -> None:
    user, lamp = await world.user(), await world.product(1000)
    start = await position(world)
    watchers = [watch(world, after_sequence=start) for _ in range(20)]
    reading = asyncio.gather(*(take(watching, 21) for watching in watchers))
    await asyncio.gather(*(world.place(user, lamp) for _ in range(10)))

    first, *others = await reading
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("request_", "code", "problem"),
    [
        ({"after_sequence": -1}, "INVALID_ARGUMENT", "after_sequence: -1 is negative; send 0"),
        ({"after_sequence": 10**9}, "OUT_OF_RANGE", "after_sequence: 1000000000 is ahead of"),
        ({"user_id": "me"}, "INVALID_ARGUMENT", "user_id: 'me' is not a UUID"),
    ],
)
async def test_what_cannot_be_watched_is_refused(
    world: World, request_: dict[str, Any], code: str, problem: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await take(watch(world, **request_), 1)

    assert caught.value.code().name == code
    assert str(caught.value.details()).startswith(problem)


async def test_replicas_with_one_database_tell_the_same_changes(
    others: Others, postgres_url: URL, tmp_path: Path
) -> None:
    """Both write, and a watcher moves from one to the other all the time."""
    database = {"DATABASE_URL": postgres_url.render_as_string(hide_password=False)}
    (tmp_path / "other").mkdir()
    async with (
        world_with(others, tmp_path, **database) as one,
        world_with(others, tmp_path / "other", **database) as other,
    ):
        user, lamp = await one.user(), await one.product(1000)
        replicas = itertools.cycle((one, other))
        placing = asyncio.gather(*(next(replicas).place(user, lamp) for _ in range(40)))
        seen: list[order_pb2.WatchOrdersResponse] = []
        while len(seen) < 80:
            watching = watch(next(replicas), after_sequence=len(seen))
            _, *more = await take(watching, 1 + min(9, 80 - len(seen)))
            seen += more
        placed = {order.id for order in await placing}

    assert [response.sequence for response in seen] == list(range(1, 81))
    assert {response.order.id for response in seen} == placed


async def test_watchers_are_notified_when_the_server_ends_and_go_on_at_the_next(
    others: Others, tmp_path: Path
) -> None:
    drain = {"GRPC_DRAIN_SECONDS": "21", "LAME_DUCK_SECONDS": "0.2"}
    async with world_with(others, tmp_path, **drain) as world:
        user, lamp = await world.user(), await world.product()
        watching = watch(world)
        await take(watching, 1)
        first = await world.place(user, lamp)
        seen = await take(watching, 2)

        world.process.process.terminate()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(watching)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        last = seen[-1].sequence
        assert f"watch again with after_sequence {last}" in str(caught.value.details())
        assert world.process.process.end() == 0

        await world.start_orders()
        second = await world.place(user, lamp)
        _, *seen = await take(watch(world, after_sequence=last), 3)
        assert changes(seen) == [(second.id, PENDING), (second.id, CONFIRMED)]
        assert first.id != second.id
