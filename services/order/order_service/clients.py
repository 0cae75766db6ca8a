"""What the order service asks of the user and the product service, and what their codes mean."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from grpc_service_kit.client import RetryPolicy
from order_service.domain import Order, Refusal
from order_service.saga import Answer, Outcome
from product.v1 import product_pb2, product_pb2_grpc
from user.v1 import user_pb2, user_pb2_grpc

STEP_SECONDS = 10.0
"""Deadline of a step of the saga, well within the lease; the call being served may have less."""

USER_RETRIES = RetryPolicy(methods=("user.v1.UserService/GetUser",))
PRODUCT_RETRIES = RetryPolicy(
    methods=(
        "product.v1.ProductService/ReserveStock",
        "product.v1.ProductService/ReleaseStock",
    )
)
"""Both may be sent again: a reservation has an id."""

_REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
}
"""The same request will not succeed later. After any other code it may have been applied, or
may be when it is sent again (https://grpc.io/docs/guides/status-codes/)."""

_DETAILS = "grpc-status-details-bin"


class Users:
    """user.v1.UserService."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        """Call through a channel of the kit."""
        self._stub: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(channel)

    async def exists(self, user_id: str) -> bool:
        """Return whether there is a user with this id; the error of the call when it fails."""
        try:
            await self._stub.GetUser(user_pb2.GetUserRequest(id=user_id))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return False
            raise
        return True


class Products:
    """product.v1.ProductService: the stock. The id of an order is that of its reservation."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        """Call through a channel of the kit."""
        self._stub: product_pb2_grpc.ProductServiceAsyncStub = product_pb2_grpc.ProductServiceStub(
            channel
        )

    async def reserve(self, order: Order) -> Outcome:
        """Reserve the stock of an order; doing so again changes nothing."""
        items = [
            product_pb2.StockItem(product_id=item.product_id, quantity=item.quantity)
            for item in order.items
        ]
        request = product_pb2.ReserveStockRequest(reservation_id=order.id, items=items)
        return await _outcome(self._stub.ReserveStock(request, timeout=STEP_SECONDS))

    async def release(self, order: Order) -> Outcome:
        """Give the stock of an order back, and see to it that it is not reserved any more."""
        request = product_pb2.ReleaseStockRequest(reservation_id=order.id)
        return await _outcome(self._stub.ReleaseStock(request, timeout=STEP_SECONDS))


async def _outcome(call: Awaitable[Any]) -> Outcome:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return _refusal(error) if error.code() in _REFUSALS else Answer.UNKNOWN
    return Answer.DONE


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """Return the refusal with the reason of google.rpc.ErrorInfo, or else with the code's name."""
    status, info = status_pb2.Status(), error_details_pb2.ErrorInfo()
    status.ParseFromString(error.trailing_metadata().get(_DETAILS) or b"")
    reasons = [info.reason for detail in status.details if detail.Unpack(info)]
    text = error.details() or "the products refuse the order"
    return Refusal(reasons[0] if reasons else error.code().name, text)
