"""A small world for the tests: users, products with stock, and the order service between them."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from google.type import money_pb2

from grpc_service_kit.testing.polling import TIMEOUT, until
from order.v1 import order_pb2, order_pb2_grpc
from order_network import Network, network_to
from order_processes import Restartable, Start
from product.v1 import product_pb2, product_pb2_grpc
from user.v1 import user_pb2, user_pb2_grpc

PENDING = order_pb2.ORDER_STATUS_PENDING
CONFIRMED = order_pb2.ORDER_STATUS_CONFIRMED
REJECTED = order_pb2.ORDER_STATUS_REJECTED
CANCELLED = order_pb2.ORDER_STATUS_CANCELLED


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


@dataclass
class World:
    """Stubs of the three services, and the processes behind them."""

    process: Restartable
    """The order service."""
    products_process: Restartable
    network: Network
    """Between the order service and the product service."""
    users: user_pb2_grpc.UserServiceAsyncStub
    stack: AsyncExitStack
    """Closes the channels."""
    orders: order_pb2_grpc.OrderServiceAsyncStub = field(init=False)
    products: product_pb2_grpc.ProductServiceAsyncStub = field(init=False)

    async def user(self) -> str:
        """Return the id of a new user."""
        request = user_pb2.CreateUserRequest(email=f"{new_id()}@example.com", name="Ada")
        return (await self.users.CreateUser(request, timeout=TIMEOUT)).user.id

    async def product(self, stock: int = 10) -> str:
        """Return the id of a new product."""
        request = product_pb2.CreateProductRequest(
            name="A lamp",
            price=money_pb2.Money(currency_code="EUR", units=12),
            stock_quantity=stock,
        )
        return (await self.products.CreateProduct(request, timeout=TIMEOUT)).product.id

    async def reserved(self, product_id: str) -> int:
        """Return how many of a product are reserved."""
        request = product_pb2.GetProductRequest(id=product_id)
        return (await self.products.GetProduct(request, timeout=TIMEOUT)).product.reserved_quantity

    async def place(
        self, user_id: str, product_id: str, quantity: int = 1, request_id: str = ""
    ) -> order_pb2.Order:
        """Place an order of one line."""
        item = order_pb2.OrderItem(product_id=product_id, quantity=quantity)
        request = order_pb2.CreateOrderRequest(user_id=user_id, items=[item], request_id=request_id)
        return (await self.orders.CreateOrder(request, timeout=TIMEOUT)).order

    async def get(self, order_id: str) -> order_pb2.Order:
        """Return an order as it is now."""
        request = order_pb2.GetOrderRequest(id=order_id)
        return (await self.orders.GetOrder(request, timeout=TIMEOUT)).order

    async def cancel(self, order_id: str) -> order_pb2.Order:
        """Cancel an order."""
        request = order_pb2.CancelOrderRequest(id=order_id)
        return (await self.orders.CancelOrder(request, timeout=TIMEOUT)).order

    async def list(self, user_id: str) -> list[order_pb2.Order]:
        """Return all orders of a user, newest first."""
        request = order_pb2.ListOrdersRequest(user_id=user_id, page_size=1000)
        return list((await self.orders.ListOrders(request, timeout=TIMEOUT)).orders)

    async def status_becomes(self, order_id: str, status: order_pb2.OrderStatus.ValueType) -> None:
        """Return when an order has this status."""

        async def reached() -> bool:
            return (await self.get(order_id)).status == status

        await until(reached)

    async def reserved_becomes(self, product_id: str, quantity: int) -> None:
        """Return when so many of a product are reserved."""

        async def reached() -> bool:
            return await self.reserved(product_id) == quantity

        await until(reached)

    async def start_orders(self) -> None:
        """Start the order service again, and call it from now on."""
        self.process.start()
        await self.find_orders()

    async def start_products(self) -> None:
        """Start the product service again, and call it from now on."""
        self.products_process.start()
        await self.find_products()

    async def find_orders(self) -> None:
        """Call the order service where it is now."""
        channel = await self._channel(self.process.process.target)
        self.orders = order_pb2_grpc.OrderServiceStub(channel)

    async def find_products(self) -> None:
        """Call the product service where it is now; the order service does so as well."""
        self.network.target = self.products_process.process.target
        channel = await self._channel(self.network.target)
        self.products = product_pb2_grpc.ProductServiceStub(channel)

    async def _channel(self, target: str) -> grpc.aio.Channel:
        return await self.stack.enter_async_context(grpc.aio.insecure_channel(target))


async def at_rest(world: World) -> None:
    """Return when nothing is left to do for any order."""

    async def idle() -> bool:
        with closing(sqlite3.connect(world.process.database)) as database:
            query = "SELECT count(*) FROM orders WHERE due_at IS NOT NULL"
            return bool(database.execute(query).fetchone() == (0,))

    await until(idle)


def let_leases_run_out(world: World) -> None:
    """Pretend that the time of a lease has passed since a process was killed."""
    with closing(sqlite3.connect(world.process.database, isolation_level=None)) as database:
        database.execute("UPDATE orders SET due_at = 0 WHERE due_at IS NOT NULL")


@dataclass(frozen=True)
class Others:
    """What the order service needs."""

    users: Restartable
    products: Restartable
    start: Start
    """Starts order services."""


@asynccontextmanager
async def world_with(others: Others, directory: Path, **variables: str) -> AsyncIterator[World]:
    """Yield a world with an order service of its own."""
    async with AsyncExitStack() as stack:
        network, address = await stack.enter_async_context(network_to(""))
        users_target = others.users.process.target
        orders = Restartable(
            others.start,
            directory / "orders.db",
            **{
                "USERS_GRPC_TARGET": users_target,
                "PRODUCTS_GRPC_TARGET": address,
                "RECOVERY_SECONDS": "0.1",
                "WATCH_SECONDS": "0.02",
                **variables,
            },
        )
        stack.callback(orders.kill)
        users: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(
            await stack.enter_async_context(grpc.aio.insecure_channel(users_target))
        )
        world = World(orders, others.products, network, users, stack)
        await world.find_products()
        await world.find_orders()
        yield world
