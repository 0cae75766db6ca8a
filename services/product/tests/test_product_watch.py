"""WatchStock: the state first, then every state that follows, until something ends it."""

import asyncio
from typing import TypeAlias

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import URL

from grpc_service_kit.testing.polling import TIMEOUT
from product.v1 import product_pb2 as pb
from product.v1 import product_pb2_grpc
from product_goods import EUROS, new_id
from product_servers import connected, serving

Stub: TypeAlias = "product_pb2_grpc.ProductServiceAsyncStub"
States: TypeAlias = "grpc.aio.UnaryStreamCall[pb.WatchStockRequest, pb.WatchStockResponse]"


def states_of(stub: Stub, *product_ids: str) -> States:
    """Watch products."""
    return stub.WatchStock(pb.WatchStockRequest(product_ids=product_ids), timeout=TIMEOUT)


async def following(states: States) -> pb.WatchStockResponse:
    """Return the next state; the stream must not end before."""
    state = await states.read()
    assert isinstance(state, pb.WatchStockResponse)
    return state


async def reserve(stub: Stub, product_id: str, quantity: int) -> str:
    """Reserve units and return the id of the reservation."""
    request = pb.ReserveStockRequest(
        reservation_id=new_id(), items=[pb.StockItem(product_id=product_id, quantity=quantity)]
    )
    return (await stub.ReserveStock(request)).reservation.id


async def test_the_state_comes_first_in_the_order_of_the_request(
    stub: Stub, tea: pb.Product
) -> None:
    request = pb.CreateProductRequest(name="cup", price=EUROS, stock_quantity=3)
    cup = (await stub.CreateProduct(request)).product
    for ids in ([tea.id, cup.id], [cup.id, tea.id]):
        call = states_of(stub, *ids)
        assert [(await following(call)).product_id for _ in ids] == ids
        call.cancel()


async def test_every_change_of_the_stock_is_reported(stub: Stub, tea: pb.Product) -> None:
    call = states_of(stub, tea.id)
    seen = [await following(call)]
    held = await reserve(stub, tea.id, 4)
    seen.append(await following(call))
    await stub.UpdateProduct(pb.UpdateProductRequest(id=tea.id, name="x", stock_quantity=20))
    seen.append(await following(call))
    await stub.ReleaseStock(pb.ReleaseStockRequest(reservation_id=held))
    seen.append(await following(call))
    call.cancel()

    stock = [(state.stock_quantity, state.reserved_quantity) for state in seen]
    assert stock == [(10, 0), (10, 4), (20, 4), (20, 0)]
    assert [state.revision for state in seen] == [1, 2, 3, 4]


async def test_a_slow_reader_gets_the_newest_state(stub: Stub, tea: pb.Product) -> None:
    call = states_of(stub, tea.id)
    for _ in range(10):
        await reserve(stub, tea.id, 1)
    revisions: list[int] = []
    while not revisions or revisions[-1] < 11:
        state = await following(call)
        revisions.append(state.revision)
    call.cancel()

    assert revisions == sorted(set(revisions))
    assert state.reserved_quantity == 10


async def test_what_another_process_changes_is_reported_too(url: URL) -> None:
    async with (
        serving(url) as first,
        serving(url) as second,
        connected(first) as here,
        connected(second) as there,
    ):
        stub = product_pb2_grpc.ProductServiceStub(here)
        request = pb.CreateProductRequest(name="tea", price=EUROS, stock_quantity=10)
        tea = (await stub.CreateProduct(request)).product
        call = states_of(stub, tea.id)
        await following(call)
        await reserve(product_pb2_grpc.ProductServiceStub(there), tea.id, 4)

        assert (await following(call)).reserved_quantity == 4
        call.cancel()


async def test_many_watch_at_once(stub: Stub, tea: pb.Product) -> None:
    calls = [states_of(stub, tea.id) for _ in range(50)]
    await asyncio.gather(*(following(call) for call in calls))
    await reserve(stub, tea.id, 1)
    states = await asyncio.gather(*(following(call) for call in calls))
    for call in calls:
        call.cancel()

    assert {state.reserved_quantity for state in states} == {1}


@pytest.mark.parametrize("known_before", [True, False])
async def test_a_product_that_is_not_there_ends_the_stream(
    stub: Stub, tea: pb.Product, *, known_before: bool
) -> None:
    call = states_of(stub, tea.id if known_before else new_id())
    if known_before:
        await following(call)
        await stub.DeleteProduct(pb.DeleteProductRequest(id=tea.id))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await following(call)

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("product_ids", "field"),
    [
        ([], "product_ids"),
        ([new_id() for _ in range(101)], "product_ids"),
        (["7"], "product_ids[0]"),
        (["123e4567-e89b-42d3-a456-426614174000"] * 2, "product_ids[1]"),
    ],
)
async def test_wrong_ids_are_named(stub: Stub, product_ids: list[str], field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await following(states_of(stub, *product_ids))

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(f"{field}: ")


async def test_health_is_that_of_the_database(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="product.v1.ProductService")

    answer = await health.Check(request)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING
