"""Each method and each of its errors, over a real channel."""

from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf import empty_pb2
from google.rpc import error_details_pb2
from google.type.money_pb2 import Money
from grpc_status import rpc_status

from product.v1 import product_pb2 as pb
from product.v1 import product_pb2_grpc
from product_goods import EUROS, new_id

Stub: TypeAlias = "product_pb2_grpc.ProductServiceAsyncStub"
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS
FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


async def refused(call: Any) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, str]:
    """Await a call that must fail; return its code, its reason and its text."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert any(detail.Unpack(info) for detail in status.details)
    return caught.value.code(), info, status.message


def items(*pairs: tuple[str, int]) -> list[pb.StockItem]:
    return [pb.StockItem(product_id=product_id, quantity=n) for product_id, n in pairs]


async def test_a_product_is_created_and_found(stub: Stub, tea: pb.Product) -> None:
    assert (tea.name, tea.price, tea.stock_quantity, tea.reserved_quantity) == ("tea", EUROS, 10, 0)
    assert tea.created_at == tea.updated_at
    found = await stub.GetProduct(pb.GetProductRequest(id=tea.id.upper()))
    assert found.product == tea


async def test_a_create_with_a_request_id_happens_once(stub: Stub) -> None:
    request = pb.CreateProductRequest(name="tea", price=EUROS, request_id=new_id())
    first = await stub.CreateProduct(request)

    assert await stub.CreateProduct(request) == first
    request.name = "cup"
    code, info, _ = await refused(stub.CreateProduct(request))
    assert (code, info.reason) == (ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_an_update_changes_the_fields_that_are_present(stub: Stub, tea: pb.Product) -> None:
    request = pb.UpdateProductRequest(id=tea.id, stock_quantity=0)
    updated = (await stub.UpdateProduct(request)).product
    assert updated.updated_at.ToDatetime() > tea.updated_at.ToDatetime()
    updated.updated_at.CopyFrom(tea.updated_at)
    updated.stock_quantity = 10
    assert updated == tea

    price = Money(currency_code="JPY")
    request = pb.UpdateProductRequest(id=tea.id, name="green tea", price=price)
    updated = (await stub.UpdateProduct(request)).product
    assert (updated.name, updated.price, updated.stock_quantity) == ("green tea", price, 0)

    same = await stub.UpdateProduct(pb.UpdateProductRequest(id=tea.id))
    assert same.product == updated


async def test_a_deleted_product_is_gone(stub: Stub, tea: pb.Product) -> None:
    assert await stub.DeleteProduct(pb.DeleteProductRequest(id=tea.id)) == empty_pb2.Empty()
    code, info, _ = await refused(stub.DeleteProduct(pb.DeleteProductRequest(id=tea.id)))
    assert (code, info.reason) == (NOT_FOUND, "PRODUCT_NOT_FOUND")


async def test_pages_follow_each_other(stub: Stub) -> None:
    for number in range(5):
        await stub.CreateProduct(pb.CreateProductRequest(name=f"{number}", price=EUROS))
    names, token = [], ""
    while True:
        page = await stub.ListProducts(pb.ListProductsRequest(page_size=2, page_token=token))
        names.append([product.name for product in page.products])
        token = page.next_page_token
        if not token:
            break

    assert names == [["0", "1"], ["2", "3"], ["4"]]
    assert len((await stub.ListProducts(pb.ListProductsRequest())).products) == 5


async def test_stock_is_reserved_and_released(stub: Stub, tea: pb.Product) -> None:
    request = pb.ReserveStockRequest(reservation_id=new_id(), items=items((tea.id, 4)))
    first = (await stub.ReserveStock(request)).reservation
    assert (first.id, list(first.items)) == (request.reservation_id, list(request.items))
    assert (await stub.ReserveStock(request)).reservation == first
    assert (await stub.GetProduct(pb.GetProductRequest(id=tea.id))).product.reserved_quantity == 4

    for _ in range(2):
        await stub.ReleaseStock(pb.ReleaseStockRequest(reservation_id=first.id))
    assert (await stub.GetProduct(pb.GetProductRequest(id=tea.id))).product == tea


async def test_a_reservation_that_cannot_be_made_says_why(stub: Stub, tea: pb.Product) -> None:
    def reserve(product_id: str, quantity: int, reservation_id: str = "") -> Any:
        return stub.ReserveStock(
            pb.ReserveStockRequest(
                reservation_id=reservation_id or new_id(), items=items((product_id, quantity))
            )
        )

    code, info, _ = await refused(reserve(tea.id, 11))
    assert (code, info.reason) == (FAILED_PRECONDITION, "INSUFFICIENT_STOCK")
    assert dict(info.metadata) == {"product_id": tea.id, "available": "10"}
    assert info.domain == "product.v1.ProductService"

    unknown = new_id()
    code, info, _ = await refused(reserve(unknown, 1))
    assert (code, info.reason) == (NOT_FOUND, "PRODUCT_NOT_FOUND")
    assert dict(info.metadata) == {"product_id": unknown}

    held = (await reserve(tea.id, 1)).reservation
    code, info, _ = await refused(reserve(tea.id, 2, held.id))
    assert (code, info.reason) == (ALREADY_EXISTS, "RESERVATION_ID_REUSED")

    code, info, _ = await refused(stub.DeleteProduct(pb.DeleteProductRequest(id=tea.id)))
    assert (code, info.reason) == (FAILED_PRECONDITION, "PRODUCT_RESERVED")
    less = pb.UpdateProductRequest(id=tea.id, stock_quantity=0)
    code, info, _ = await refused(stub.UpdateProduct(less))
    assert (code, info.reason) == (FAILED_PRECONDITION, "INSUFFICIENT_STOCK")

    await stub.ReleaseStock(pb.ReleaseStockRequest(reservation_id=held.id))
    code, info, _ = await refused(reserve(tea.id, 1, held.id))
    assert (code, info.reason) == (FAILED_PRECONDITION, "RESERVATION_RELEASED")


A_UUID = "123e4567-e89b-42d3-a456-426614174000"


@pytest.mark.parametrize(
    ("method", "request_message", "field"),
    [
        ("GetProduct", pb.GetProductRequest(id="7"), "id"),
        ("DeleteProduct", pb.DeleteProductRequest(), "id"),
        ("CreateProduct", pb.CreateProductRequest(name=" ", price=EUROS), "name"),
        ("CreateProduct", pb.CreateProductRequest(name="x" * 201, price=EUROS), "name"),
        ("CreateProduct", pb.CreateProductRequest(name="a\nb", price=EUROS), "name"),
        ("CreateProduct", pb.CreateProductRequest(name="x"), "price"),
        (
            "CreateProduct",
            pb.CreateProductRequest(name="x", price=Money(currency_code="eur")),
            "price.currency_code",
        ),
        (
            "CreateProduct",
            pb.CreateProductRequest(name="x", price=Money(currency_code="EUR", units=-1)),
            "price.units",
        ),
        (
            "CreateProduct",
            pb.CreateProductRequest(name="x", price=Money(currency_code="EUR", nanos=-1)),
            "price.nanos",
        ),
        (
            "CreateProduct",
            pb.CreateProductRequest(name="x", price=EUROS, stock_quantity=-1),
            "stock_quantity",
        ),
        (
            "CreateProduct",
            pb.CreateProductRequest(name="x", price=EUROS, request_id="7"),
            "request_id",
        ),
        ("UpdateProduct", pb.UpdateProductRequest(id="7"), "id"),
        ("UpdateProduct", pb.UpdateProductRequest(id=A_UUID, name=""), "name"),
        (
            "UpdateProduct",
            pb.UpdateProductRequest(id=A_UUID, stock_quantity=1_000_000_001),
            "stock_quantity",
        ),
        ("ListProducts", pb.ListProductsRequest(page_size=-1), "page_size"),
        ("ListProducts", pb.ListProductsRequest(page_token="7"), "page_token"),  # noqa: S106
        ("ReserveStock", pb.ReserveStockRequest(reservation_id=A_UUID), "items"),
        (
            "ReserveStock",
            pb.ReserveStockRequest(items=[pb.StockItem(product_id=A_UUID, quantity=1)]),
            "reservation_id",
        ),
        (
            "ReserveStock",
            pb.ReserveStockRequest(reservation_id=A_UUID, items=items((A_UUID, 0))),
            "items[0].quantity",
        ),
        (
            "ReserveStock",
            pb.ReserveStockRequest(
                reservation_id=A_UUID, items=items((A_UUID, 1), (A_UUID.upper(), 1))
            ),
            "items[1].product_id",
        ),
        ("ReleaseStock", pb.ReleaseStockRequest(), "reservation_id"),
    ],
)
async def test_a_wrong_field_is_named(
    stub: Stub, method: str, request_message: Any, field: str
) -> None:
    code, info, text = await refused(getattr(stub, method)(request_message))

    assert (code, info.reason) == (INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert text.startswith(f"{field}: ")
    assert "; send" in text or "; name" in text
