"""Calls users, products and orders with the kit's client: every kind of call, and what can fail.

The targets come from the client ConfigMaps: USERS_GRPC_TARGET, USERS_GRPC_SERVICE_CONFIG, and the
same for PRODUCTS_ and ORDERS_. It watches the orders in the end, until SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from collections import Counter

import grpc
from google.rpc import error_details_pb2
from google.type import money_pb2
from grpc_status import rpc_status

from grpc_service_kit.client import ClientConfigError, ClientOptions, RetryPolicy, Target, connect
from order.v1 import order_pb2, order_pb2_grpc
from product.v1 import product_pb2, product_pb2_grpc
from user.v1 import user_pb2, user_pb2_grpc

# Reads, and what a request id makes safe to repeat. Nothing else: it might be done twice.
RETRY = RetryPolicy(
    methods=(
        "user.v1.UserService/GetUser",
        "user.v1.UserService/CreateUser",
        "user.v1.UserService/ListUsers",
        "product.v1.ProductService/GetProduct",
        "product.v1.ProductService/CreateProduct",
        "order.v1.OrderService/CreateOrder",
    )
)
OPTIONS = ClientOptions(default_deadline_seconds=5, retry=RETRY)
CALL_SECONDS, STREAM_SECONDS, WATCH_SECONDS = 5, 10, 60
WATCH_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def say(step: str, text: str) -> None:
    """Print a line as all the clients here print it."""
    print(f"{step:<15}{text}", flush=True)


def reasons(error: grpc.aio.AioRpcError) -> str:
    """Return the code, and what the google.rpc details say."""
    status = rpc_status.from_call(error)
    texts = []
    for detail in status.details if status else ():
        bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
        if detail.Unpack(bad):
            texts += [f"{field.field} {field.description}" for field in bad.field_violations]
        if detail.Unpack(info):
            texts.append(f"reason {info.reason}")
    return ", ".join([error.code().name, *sorted(texts)])


def profile(name: str) -> user_pb2.CreateUserRequest:
    """Return somebody new."""
    return user_pb2.CreateUserRequest(email=f"{name}-{uuid.uuid4()}@example.com".lower(), name=name)


async def call_users(users: user_pb2_grpc.UserServiceAsyncStub) -> user_pb2.User:
    """Make unary calls, and see who answers them."""
    request = profile("Ada")
    request.request_id = str(uuid.uuid4())
    ada = (await users.CreateUser(request)).user
    say("unary", f"CreateUser {request.name}")
    again = (await users.CreateUser(request)).user
    say("safe retry", f"the same user: {str(again.id == ada.id).lower()}")

    instances: Counter[str] = Counter()
    for _ in range(200):
        call = users.GetUser(user_pb2.GetUserRequest(id=ada.id), timeout=CALL_SECONDS)
        await call
        instances[str((await call.initial_metadata())["x-instance"])] += 1
    shares = ", ".join(f"{name} {count}" for name, count in sorted(instances.items()))
    say("round robin", f"200 calls: {shares}")
    return ada


async def stream_users(users: user_pb2_grpc.UserServiceAsyncStub) -> None:
    """Make a stream of each kind."""
    batch = [profile("Grace"), profile("Edsger")]
    created = await users.BatchCreateUsers(iter(batch), timeout=STREAM_SECONDS)
    say("client stream", f"BatchCreateUsers {created.created_count} created")

    sync = users.SyncUsers(timeout=STREAM_SECONDS)
    wanted = user_pb2.User(email=profile("Barbara").email)
    for wanted.name in ("Barbara", "Barbara", "Liskov"):
        await sync.write(user_pb2.SyncUsersRequest(user=wanted))
        answer = await sync.read()
        if isinstance(answer, user_pb2.SyncUsersResponse):
            say("bidi stream", f"SyncUsers {user_pb2.SyncStatus.Name(answer.status)}")
    await sync.done_writing()
    await sync.read()

    page = users.ListUsers(user_pb2.ListUsersRequest(page_size=2), timeout=STREAM_SECONDS)
    count = len([user async for user in page])
    more = "next-page-token" in dict(await page.trailing_metadata())
    say("server stream", f"ListUsers {count} users, more follow: {str(more).lower()}")


async def call_shop(
    products: product_pb2_grpc.ProductServiceAsyncStub,
    orders: order_pb2_grpc.OrderServiceAsyncStub,
    user: user_pb2.User,
) -> None:
    """Order what there is, and more than that."""
    price = money_pb2.Money(currency_code="EUR", units=12)
    lamp = product_pb2.CreateProductRequest(
        name="A lamp", price=price, stock_quantity=5, request_id=str(uuid.uuid4())
    )
    product_id = (await products.CreateProduct(lamp)).product.id

    def order(quantity: int) -> order_pb2.CreateOrderRequest:
        item = order_pb2.OrderItem(product_id=product_id, quantity=quantity)
        request_id = str(uuid.uuid4())
        return order_pb2.CreateOrderRequest(user_id=user.id, items=[item], request_id=request_id)

    placed = (await orders.CreateOrder(order(2))).order
    found = (await products.GetProduct(product_pb2.GetProductRequest(id=product_id))).product
    say("order", f"{order_pb2.OrderStatus.Name(placed.status)}, {found.reserved_quantity} reserved")
    for quantity in (0, 100):
        try:
            await orders.CreateOrder(order(quantity))
        except grpc.aio.AioRpcError as error:
            say("error", f"CreateOrder {reasons(error)}")

    stock = product_pb2.WatchStockRequest(product_ids=[product_id])
    try:
        async for state in products.WatchStock(stock, timeout=2):
            say("deadline", f"WatchStock {state.stock_quantity} in stock")
    except grpc.aio.AioRpcError as error:
        say("deadline", f"WatchStock {error.code().name}")


async def watch(orders: order_pb2_grpc.OrderServiceAsyncStub, user: user_pb2.User) -> None:
    """Follow the user's orders. A stream that ends is begun again where it was: nothing is lost."""
    request = order_pb2.WatchOrdersRequest(after_sequence=0, user_id=user.id)
    while True:
        try:
            async for event in orders.WatchOrders(request, timeout=WATCH_SECONDS):
                request.after_sequence = event.sequence
                if event.HasField("order"):
                    say("watch", order_pb2.OrderStatus.Name(event.order.status))
        except grpc.aio.AioRpcError as error:
            if error.code() not in WATCH_AGAIN:
                raise
            await asyncio.sleep(1)


async def calls(
    users: grpc.aio.Channel, products: grpc.aio.Channel, orders: grpc.aio.Channel
) -> None:
    """Make all calls; a signal ends the last one."""
    user_stub: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(users)
    order_stub: order_pb2_grpc.OrderServiceAsyncStub = order_pb2_grpc.OrderServiceStub(orders)
    ada = await call_users(user_stub)
    await stream_users(user_stub)
    await call_shop(product_pb2_grpc.ProductServiceStub(products), order_stub, ada)
    watching = asyncio.create_task(watch(order_stub, ada))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, watching.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def main() -> int:
    """Return the exit code: 0 when a signal ended the watch."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            targets = [
                Target.from_env(os.environ, name) for name in ("USERS_", "PRODUCTS_", "ORDERS_")
            ]
            channels = [
                await stack.enter_async_context(connect(target, OPTIONS)) for target in targets
            ]
            await calls(*channels)
        except ClientConfigError as error:
            print(f"failed: {error}", file=sys.stderr)
            return 1
        except grpc.aio.AioRpcError as error:
            print(f"failed: {error.code().name}: {error.details()}", file=sys.stderr)
            return 1
    say("end", "watch cancelled, channels closed")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
