"""The methods over real channels, with the real user and product services."""

import asyncio

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2

from grpc_service_kit.testing.polling import TIMEOUT, attempts
from order.v1 import order_pb2
from order_world import CANCELLED, CONFIRMED, REJECTED, World, at_rest, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _no_calls_yet(world: World) -> None:
    await at_rest(world)
    world.network.forget()


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status, info = status_pb2.Status(), error_details_pb2.ErrorInfo()
    status.ParseFromString(error.trailing_metadata().get("grpc-status-details-bin") or b"")
    assert any(detail.Unpack(info) for detail in status.details)
    return info


async def test_an_order_is_confirmed_and_its_stock_reserved(world: World) -> None:
    user, lamp, chair = await world.user(), await world.product(10), await world.product(5)
    items = [
        order_pb2.OrderItem(product_id=lamp, quantity=3),
        order_pb2.OrderItem(product_id=chair, quantity=5),
    ]
    request = order_pb2.CreateOrderRequest(user_id=user, items=items)
    order = (await world.orders.CreateOrder(request, timeout=TIMEOUT)).order

    assert order.status == CONFIRMED
    assert (order.user_id, list(order.items)) == (user, items)
    assert await world.get(order.id) == order
    assert [await world.reserved(product) for product in (lamp, chair)] == [3, 5]


async def test_an_order_that_is_refused_is_rejected_with_the_products_reason(world: World) -> None:
    user, lamp = await world.user(), await world.product(2)
    request_id = new_id()
    for _ in range(2):  # The same request gets the same answer.
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.place(user, lamp, 3, request_id)
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert error_info(caught.value).reason == "INSUFFICIENT_STOCK"

    (order,) = await world.list(user)
    assert error_info(caught.value).metadata["order_id"] == order.id
    assert (order.status, order.reason) == (REJECTED, "INSUFFICIENT_STOCK")
    assert order.reason_text == caught.value.details()
    assert await world.reserved(lamp) == 0
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.cancel(order.id)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_an_unknown_product_is_a_refusal(world: World) -> None:
    user = await world.user()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.place(user, new_id())

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error_info(caught.value).reason == "PRODUCT_NOT_FOUND"
    assert [order.status for order in await world.list(user)] == [REJECTED]


async def test_an_unknown_user_cannot_order(world: World) -> None:
    nobody, lamp = new_id(), await world.product()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.place(nobody, lamp)

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert str(caught.value.details()).startswith(f"user_id: no user has the id {nobody}")
    assert error_info(caught.value).reason == "USER_NOT_FOUND"
    assert await world.list(nobody) == []
    assert world.network.calls == []


async def test_a_request_that_is_sent_again_places_nothing_more(world: World) -> None:
    user, lamp = await world.user(), await world.product(10)
    request_id = new_id()
    orders = await asyncio.gather(*(world.place(user, lamp, 2, request_id) for _ in range(8)))

    assert {order.id for order in orders} == {order.id for order in await world.list(user)}
    assert len({order.id for order in orders}) == 1
    await world.status_becomes(orders[0].id, CONFIRMED)
    assert await world.reserved(lamp) == 2
    again = await world.place(user, lamp, 2, request_id.upper())
    assert again == await world.get(orders[0].id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.place(user, lamp, 3, request_id)
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert world.network.calls.count("ReserveStock") == 1


async def test_a_cancelled_order_gives_its_stock_back_once(world: World) -> None:
    user, lamp = await world.user(), await world.product(10)
    order, other = await world.place(user, lamp, 4), await world.place(user, lamp, 3)
    cancelled = await world.cancel(order.id)

    assert cancelled.status == CANCELLED
    assert await world.cancel(order.id) == cancelled
    assert await world.reserved(lamp) == 3
    assert await world.get(other.id) == other
    assert world.network.calls.count("ReleaseStock") == 1


async def test_the_orders_of_a_user_come_in_pages(world: World) -> None:
    user, lamp = await world.user(), await world.product(10)
    placed = [await world.place(user, lamp) for _ in range(5)]
    seen: list[order_pb2.Order] = []
    token = ""
    for size in (2, 2, 1):
        request = order_pb2.ListOrdersRequest(user_id=user, page_size=2, page_token=token)
        page = await world.orders.ListOrders(request, timeout=TIMEOUT)
        assert len(page.orders) == size
        seen += page.orders
        token = page.next_page_token

    assert seen == placed[::-1]
    assert token == ""


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("CreateOrder", order_pb2.CreateOrderRequest(user_id="me"), "user_id"),
        ("CreateOrder", order_pb2.CreateOrderRequest(user_id=new_id()), "items"),
        ("GetOrder", order_pb2.GetOrderRequest(id="1"), "id"),
        ("CancelOrder", order_pb2.CancelOrderRequest(), "id"),
        ("ListOrders", order_pb2.ListOrdersRequest(), "user_id"),
        ("ListOrders", order_pb2.ListOrdersRequest(user_id=new_id(), page_size=-1), "page_size"),
        (
            "ListOrders",
            order_pb2.ListOrdersRequest(user_id=new_id(), page_token="x"),  # noqa: S106 no secret
            "page_token",
        ),
    ],
)
async def test_wrong_fields_are_refused(
    world: World, method: str, request_: object, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(world.orders, method)(request_, timeout=TIMEOUT)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith(f"{field}: ")


async def test_an_unknown_order_is_not_found(world: World) -> None:
    for call in (world.get(new_id()), world.cancel(new_id())):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_request_id_and_the_deadline_go_on_to_the_products(world: World) -> None:
    user, lamp = await world.user(), await world.product()
    request = order_pb2.CreateOrderRequest(
        user_id=user, items=[order_pb2.OrderItem(product_id=lamp, quantity=1)]
    )
    metadata = (("x-request-id", "a-request"),)
    for attempt in attempts(3, 9):  # Less than the 10 s that the service gives such a call at most.
        world.network.forget()
        with attempt:
            await world.orders.CreateOrder(request, timeout=attempt.seconds, metadata=metadata)

            (sent,) = world.network.metadata
            assert sent["x-request-id"] == "a-request"
            assert 0 < world.network.remaining[0] < attempt.seconds * 1.02  # gRPC rounds up.
