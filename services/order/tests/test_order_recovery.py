"""Processes are killed at every step of the saga; afterwards stock and orders add up."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import pytest

from order.v1 import order_pb2
from order_network import Fault
from order_world import CANCELLED, CONFIRMED, PENDING, REJECTED, World, let_leases_run_out, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHEN = pytest.mark.parametrize("when", ["before", "after"])
_IN_BETWEEN = {"before": 0, "after": 4}
"""How many units are reserved when the answer is lost before or after the reservation."""


def fault(world: World, when: str, method: str, what: Callable[[], object]) -> None:
    """Let something happen once, before or after the product service has done a call."""

    async def happen() -> None:
        await asyncio.to_thread(what)

    faults: dict[str, Fault] = getattr(world.network, when)
    faults[method] = happen


@WHEN
async def test_products_are_killed_while_stock_is_reserved(world: World, when: str) -> None:
    user, lamp, request_id = await world.user(), await world.product(10), new_id()
    fault(world, when, "ReserveStock", world.products_process.kill)
    order = await world.place(user, lamp, 4, request_id)

    assert order.status == PENDING
    await world.start_products()
    assert await world.reserved(lamp) in {_IN_BETWEEN[when], 4}
    await world.status_becomes(order.id, CONFIRMED)
    assert await world.reserved(lamp) == 4
    assert (await world.place(user, lamp, 4, request_id)).id == order.id
    assert [order.status for order in await world.list(user)] == [CONFIRMED]


@WHEN
async def test_products_are_killed_while_stock_is_given_back(world: World, when: str) -> None:
    user, lamp = await world.user(), await world.product(10)
    order = await world.place(user, lamp, 4)
    fault(world, when, "ReleaseStock", world.products_process.kill)

    assert (await world.cancel(order.id)).status == CANCELLED
    await world.start_products()
    await world.reserved_becomes(lamp, 0)
    assert (await world.get(order.id)).status == CANCELLED


@WHEN
@pytest.mark.parametrize("stock", [10, 3])
async def test_the_order_service_is_killed_while_stock_is_reserved(
    world: World, when: str, stock: int
) -> None:
    user, lamp, request_id = await world.user(), await world.product(stock), new_id()
    fault(world, when, "ReserveStock", world.process.kill)
    with pytest.raises(grpc.aio.AioRpcError):
        await world.place(user, lamp, 4, request_id)
    let_leases_run_out(world)
    await world.start_orders()

    (order,) = await world.list(user)
    placed = stock >= 4
    await world.status_becomes(order.id, CONFIRMED if placed else REJECTED)
    assert await world.reserved(lamp) == (4 if placed else 0)
    again: Awaitable[order_pb2.Order] = world.place(user, lamp, 4, request_id)
    if placed:
        assert (await again).id == order.id
    else:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await again
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert len(await world.list(user)) == 1


async def test_an_order_that_is_cancelled_while_its_reservation_is_unknown_holds_no_stock(
    world: World,
) -> None:
    user, lamp = await world.user(), await world.product(10)
    fault(world, "after", "ReserveStock", world.products_process.kill)
    order = await world.place(user, lamp, 4)
    assert order.status == PENDING
    assert (await world.cancel(order.id)).status == CANCELLED
    await world.start_products()

    await world.reserved_becomes(lamp, 0)
    assert (await world.get(order.id)).status == CANCELLED


async def test_an_order_goes_on_when_its_caller_has_given_up(world: World) -> None:
    user, lamp = await world.user(), await world.product(10)
    released = asyncio.Event()
    reached = asyncio.Event()

    async def stall() -> None:
        reached.set()
        await released.wait()

    world.network.before["ReserveStock"] = stall
    placing = asyncio.ensure_future(world.place(user, lamp, 4))
    await reached.wait()
    placing.cancel()
    released.set()

    (order,) = await world.list(user)
    await world.status_becomes(order.id, CONFIRMED)
    assert await world.reserved(lamp) == 4
