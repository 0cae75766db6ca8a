"""Customers order, cancel and repeat themselves while services are killed: all adds up."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest

from grpc_service_kit.testing.polling import TIMEOUT, until
from order.v1 import order_pb2
from order_world import CONFIRMED, PENDING, World, let_leases_run_out, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

_KILLS = 4
_ORDERS = 60
_STOCK = 60
"""Not enough for all orders."""


@dataclass
class Customers:
    """Each has a request to place, and insists until the answer is known."""

    world: World
    user: str
    product: str
    placed: dict[str, set[str]] = field(default_factory=dict)
    """The ids of the orders that were returned to each request."""

    async def come(self, dice: random.Random, killing: asyncio.Task[None]) -> None:
        """Place every order, some of them twice, for as long as something is killed."""
        requests = [(new_id(), number) for number in range(_ORDERS)]
        queue = requests + dice.sample(requests, _ORDERS // 2)
        dice.shuffle(queue)
        while queue:
            some, queue = queue[:6], queue[6:]
            await asyncio.gather(*(self.insist(*request) for request in some))
            if not killing.done():
                await asyncio.sleep(0.05)

    async def insist(self, request_id: str, number: int) -> None:
        """Send one request until it is answered; cancel every fourth order."""
        returned = self.placed.setdefault(request_id, set())
        while True:
            try:
                quantity = 1 + number % 3
                order = await self.world.place(self.user, self.product, quantity, request_id)
                returned.add(order.id)
                if number % 4 == 0:
                    await self.world.cancel(order.id)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                    return
                await asyncio.sleep(0.1)
            else:
                return


async def kill(world: World, dice: random.Random) -> None:
    for number in range(_KILLS):
        await asyncio.sleep(dice.uniform(0.2, 0.6))
        if number % 2:
            world.products_process.kill()
            await world.start_products()
        else:
            world.process.kill()
            let_leases_run_out(world)
            await world.start_orders()


async def history(world: World) -> list[order_pb2.WatchOrdersResponse]:
    """Return all changes there ever were."""
    (start,) = [first async for first in _take(world, order_pb2.WatchOrdersRequest(), 1)]
    request = order_pb2.WatchOrdersRequest(after_sequence=0)
    return [change async for change in _take(world, request, start.sequence + 1)][1:]


async def _take(
    world: World, request: order_pb2.WatchOrdersRequest, count: int
) -> AsyncIterator[order_pb2.WatchOrdersResponse]:
    watching = aiter(world.orders.WatchOrders(request, timeout=TIMEOUT))
    for _ in range(count):
        yield await anext(watching)


async def test_whatever_is_killed_stock_orders_and_events_add_up(world: World) -> None:
    dice = random.Random(5)  # noqa: S311 the same kills each time
    customers = Customers(world, await world.user(), await world.product(_STOCK))
    killing = asyncio.create_task(kill(world, dice))
    await asyncio.gather(customers.come(dice, killing), killing)
    let_leases_run_out(world)

    async def settled() -> bool:
        return all(order.status != PENDING for order in await world.list(customers.user))

    await until(settled)
    orders = {order.id: order for order in await world.list(customers.user)}
    held = sum(order.items[0].quantity for order in orders.values() if order.status == CONFIRMED)
    await world.reserved_becomes(customers.product, held)
    assert len(orders) == _ORDERS
    assert all(ids <= orders.keys() and len(ids) <= 1 for ids in customers.placed.values())
    changes = await history(world)
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    final = {change.order.id: change.order for change in changes}
    assert {order_id: final[order_id] for order_id in orders} == orders
