"""OrderServicer: the methods of order.v1.OrderService. Rules live in `domain.py` and `saga.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from grpc_service_kit.errors import OutOfRange
from order.v1 import order_pb2, order_pb2_grpc
from order_service import domain, saga
from order_service.clients import Users
from order_service.domain import Order, Status
from order_service.feed import Feed
from order_service.fulfilment import Fulfilment, now
from order_service.messages import items_of, order_message
from order_service.store import OrderStore

Context = grpc.aio.ServicerContext[Any, Any]


class OrderServicer(order_pb2_grpc.OrderServiceServicer):
    """order.v1.OrderService; raises domain errors and never aborts a call."""

    def __init__(self, store: OrderStore, users: Users, fulfilment: Fulfilment, feed: Feed) -> None:
        """Serve the orders of `store`."""
        self._store = store
        self._users = users
        self._fulfilment = fulfilment
        self._feed = feed

    async def CreateOrder(
        self, request: order_pb2.CreateOrderRequest, context: Context
    ) -> order_pb2.CreateOrderResponse:
        """Place an order."""
        wanted = Order.new(request.user_id, items_of(request.items), now())
        request_id = domain.checked_request_id(request.request_id)
        order = await self._store.placed(wanted, request_id)
        if order is None:
            order = await self._place(wanted, request_id)
        if order.status is Status.REJECTED:
            raise domain.OrderRejected.of(order)
        return order_pb2.CreateOrderResponse(order=order_message(order))

    async def GetOrder(
        self, request: order_pb2.GetOrderRequest, context: Context
    ) -> order_pb2.GetOrderResponse:
        """Return one order."""
        order = await self._store.get(domain.checked_uuid("id", request.id))
        return order_pb2.GetOrderResponse(order=order_message(order))

    async def ListOrders(
        self, request: order_pb2.ListOrdersRequest, context: Context
    ) -> order_pb2.ListOrdersResponse:
        """Return one page of the orders of a user."""
        user_id = domain.checked_uuid("user_id", request.user_id)
        size = domain.checked_page_size(request.page_size)
        page = await self._store.list(user_id, size, request.page_token)
        return order_pb2.ListOrdersResponse(
            orders=[order_message(order) for order in page.orders], next_page_token=page.next_token
        )

    async def CancelOrder(
        self, request: order_pb2.CancelOrderRequest, context: Context
    ) -> order_pb2.CancelOrderResponse:
        """Cancel an order, and give its stock back if that can be done now."""
        order_id = domain.checked_uuid("id", request.id)
        before, after = await self._store.update(order_id, lambda known: saga.cancel(known, now()))
        order = after.order
        if order.status is not before.order.status:
            order = await self._fulfilment.advance(after)
        return order_pb2.CancelOrderResponse(order=order_message(order))

    async def WatchOrders(
        self, request: order_pb2.WatchOrdersRequest, context: Context
    ) -> AsyncIterator[order_pb2.WatchOrdersResponse]:
        """Stream the events of orders, at first the position they begin after."""
        user_id = request.user_id and domain.checked_uuid("user_id", request.user_id)
        after = last = await self._store.last_sequence()
        if request.HasField("after_sequence"):
            after = domain.checked_sequence(request.after_sequence)
        if after > last:
            raise OutOfRange(
                f"after_sequence: {after} is ahead of the last change, {last}; send the number of"
                " a response you have seen, or none to begin now"
            )
        yield order_pb2.WatchOrdersResponse(sequence=after)
        async with aclosing(self._feed.events(after, user_id)) as events:
            async for event in events:
                order = order_message(event.order)
                yield order_pb2.WatchOrdersResponse(sequence=event.sequence, order=order)

    async def _place(self, wanted: Order, request_id: str) -> Order:
        if not await self._users.exists(wanted.user_id):
            raise domain.UserNotFound.of(wanted.user_id)
        progress = await self._store.place(saga.begin(wanted, now()), request_id)
        if progress.order.id != wanted.id:
            return progress.order  # The same request came twice at once, and the other was first.
        return await self._fulfilment.advance(progress)
