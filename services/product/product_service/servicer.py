"""ProductServicer: the methods of product.v1.ProductService. Rules live in `domain.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf import empty_pb2

from product.v1 import product_pb2, product_pb2_grpc
from product_service import rules
from product_service.domain import Change, Product, Reservation
from product_service.messages import (
    items_of,
    price_of,
    product_message,
    reservation_message,
    stock_message,
)
from product_service.store import ProductStore
from product_service.watch import StockWatch

Context = grpc.aio.ServicerContext[Any, Any]


class ProductServicer(product_pb2_grpc.ProductServiceServicer):
    """product.v1.ProductService; raises domain errors and never aborts a call."""

    def __init__(self, store: ProductStore, watch: StockWatch) -> None:
        """Serve the products of `store`."""
        self._store = store
        self._watch = watch

    async def GetProduct(
        self, request: product_pb2.GetProductRequest, context: Context
    ) -> product_pb2.GetProductResponse:
        """Return one product."""
        product = await self._store.get(rules.checked_id(request.id))
        return product_pb2.GetProductResponse(product=product_message(product))

    async def CreateProduct(
        self, request: product_pb2.CreateProductRequest, context: Context
    ) -> product_pb2.CreateProductResponse:
        """Store a new product."""
        if not request.HasField("price"):
            raise rules.missing("price", "an amount and its currency code")
        product = Product.new(request.name, price_of(request.price), request.stock_quantity, _now())
        request_id = rules.checked_request_id(request.request_id)
        product = await self._store.create(product, request_id)
        return product_pb2.CreateProductResponse(product=product_message(product))

    async def UpdateProduct(
        self, request: product_pb2.UpdateProductRequest, context: Context
    ) -> product_pb2.UpdateProductResponse:
        """Change the fields that are present."""
        change = Change(
            name=request.name if request.HasField("name") else None,
            price=price_of(request.price) if request.HasField("price") else None,
            stock_quantity=request.stock_quantity if request.HasField("stock_quantity") else None,
        ).checked()
        product = await self._store.update(
            rules.checked_id(request.id), lambda product: product.changed(_now(), change)
        )
        return product_pb2.UpdateProductResponse(product=product_message(product))

    async def DeleteProduct(
        self, request: product_pb2.DeleteProductRequest, context: Context
    ) -> empty_pb2.Empty:
        """Remove one product."""
        await self._store.delete(rules.checked_id(request.id))
        return empty_pb2.Empty()

    async def ListProducts(
        self, request: product_pb2.ListProductsRequest, context: Context
    ) -> product_pb2.ListProductsResponse:
        """Return one page."""
        size = rules.checked_page_size(request.page_size)
        page = await self._store.list(size, request.page_token)
        return product_pb2.ListProductsResponse(
            products=[product_message(product) for product in page.products],
            next_page_token=page.next_token,
        )

    async def ReserveStock(
        self, request: product_pb2.ReserveStockRequest, context: Context
    ) -> product_pb2.ReserveStockResponse:
        """Reserve all items or none."""
        wanted = Reservation.new(request.reservation_id, items_of(request.items), _now())
        reservation = await self._store.reserve(wanted)
        return product_pb2.ReserveStockResponse(reservation=reservation_message(reservation))

    async def ReleaseStock(
        self, request: product_pb2.ReleaseStockRequest, context: Context
    ) -> product_pb2.ReleaseStockResponse:
        """End a reservation."""
        await self._store.release(rules.checked_reservation_id(request.reservation_id), _now())
        return product_pb2.ReleaseStockResponse()

    async def WatchStock(
        self, request: product_pb2.WatchStockRequest, context: Context
    ) -> AsyncIterator[product_pb2.WatchStockResponse]:
        """Stream the stock of products, and its changes."""
        product_ids = rules.checked_ids("product_ids", request.product_ids)
        async with aclosing(self._watch.states(product_ids)) as states:
            async for stock in states:
                yield stock_message(stock)


def _now() -> datetime:
    return datetime.now(UTC)
