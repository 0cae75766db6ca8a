"""What the clients call: two user services with one name, a product and an order service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from grpc_service_kit.testing.processes import ServerProcess, server_processes
from order.v1 import order_pb2, order_pb2_grpc
from tests.clients.published import Relay, published

INSTANCES = ("users-0", "users-1")


@dataclass(frozen=True)
class World:
    """The services, and what an operator would publish about them.

    Attributes:
        orders: Port of the order service itself.
        variables: USERS_GRPC_TARGET, USERS_GRPC_SERVICE_CONFIG, and so on.
    """

    orders: int
    variables: dict[str, str]
    _to_orders: list[Relay]

    def break_connections_to_orders(self) -> None:
        """Ends all connections to the order service abruptly."""
        for relay in self._to_orders:
            relay.break_connections()

    async def cancel_newest_order(self) -> None:
        """Cancels the order that was confirmed last."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.orders}") as channel:
            stub: order_pb2_grpc.OrderServiceAsyncStub = order_pb2_grpc.OrderServiceStub(channel)
            newest = await anext(aiter(stub.WatchOrders(order_pb2.WatchOrdersRequest())))
            request = order_pb2.WatchOrdersRequest(after_sequence=0)
            confirmed = ""
            async for event in stub.WatchOrders(request):
                if event.order.status == order_pb2.ORDER_STATUS_CONFIRMED:
                    confirmed = event.order.id
                if event.sequence >= newest.sequence:
                    break
            await stub.CancelOrder(order_pb2.CancelOrderRequest(id=confirmed))


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[World]:
    """Runs the services until the end."""
    async with AsyncExitStack() as stack:

        async def start(module: str, **variables: str) -> int:
            folder = directory / f"{module}-{variables.get('HOSTNAME', '')}"
            folder.mkdir()
            process = stack.enter_context(server_processes(module, folder))(**variables)
            return await asyncio.to_thread(_port, process)

        # The two share their users. One after the other: the first one makes the tables.
        users = [
            await start(
                "user_service",
                HOSTNAME=name,
                INSTANCE_METADATA="on",
                DATABASE_PATH=str(directory / "users.db"),
            )
            for name in INSTANCES
        ]
        products = await start("product_service", DATABASE_PATH=str(directory / "products.db"))
        publish = stack.enter_async_context
        variables = {
            **(await publish(published("users", "user.v1.UserService", *users))).variables,
            **(
                await publish(published("products", "product.v1.ProductService", products))
            ).variables,
        }
        orders = await start(
            "order_service", DATABASE_PATH=str(directory / "orders.db"), **variables
        )
        way = await publish(published("orders", "order.v1.OrderService", orders))
        yield World(orders, {**variables, **way.variables}, way.relays)


def _port(process: ServerProcess) -> int:
    return process.port
