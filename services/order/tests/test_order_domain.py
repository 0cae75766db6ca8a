"""What an order may be: every wrong field is named, with what to send instead."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from grpc_service_kit.errors import InvalidArgument
from order_service.domain import (
    Item,
    Order,
    Status,
    checked_page_size,
    checked_request_id,
    checked_sequence,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
USER = "8a6e0804-2bd0-4672-b79d-d97027f9071a"
FIRST = "123e4567-e89b-42d3-a456-426614174000"
SECOND = "123e4567-e89b-42d3-a456-426614174001"


def test_ids_are_kept_in_their_canonical_spelling() -> None:
    order = Order.new(USER.upper(), [Item(f"{{{FIRST.upper()}}}", 1), Item(SECOND, 10_000)], NOW)

    assert order.user_id == USER
    assert order.items == (Item(FIRST, 1), Item(SECOND, 10_000))
    assert (order.status, order.created_at, order.updated_at) == (Status.PENDING, NOW, NOW)
    assert checked_request_id(SECOND.upper()) == SECOND
    assert checked_request_id("") == ""


def test_every_order_has_an_id_of_its_own() -> None:
    assert len({Order.new(USER, [Item(FIRST, 1)], NOW).id for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("user_id", "items", "field", "problem"),
    [
        ("", [Item(FIRST, 1)], "user_id", "'' is not a UUID; send one as"),
        ("x" * 999, [Item(FIRST, 1)], "user_id", "xxx...' is not a UUID"),
        (USER, [], "items", "has 0 lines; send 1 to 100"),
        (USER, [Item(FIRST, 1)] * 101, "items", "has 101 lines"),
        (USER, [Item(FIRST, 1), Item("7", 1)], "items[1].product_id", "'7' is not a UUID"),
        (USER, [Item(FIRST, 0)], "items[0].quantity", "0 is not allowed; send 1 to 10000"),
        (USER, [Item(FIRST, 10_001)], "items[0].quantity", "10001 is not allowed"),
        (
            USER,
            [Item(FIRST, 1), Item(SECOND, 1), Item(FIRST.upper(), 2)],
            "items[2].product_id",
            f"{FIRST} is in items[0] too; add the quantities up",
        ),
    ],
)
def test_wrong_fields_are_named(
    user_id: str, items: Sequence[Item], field: str, problem: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Order.new(user_id, items, NOW)

    (violation,) = caught.value.violations
    assert violation.field == field
    assert problem in violation.description
    assert str(caught.value).startswith(f"{field}: ")
    assert len(str(caught.value)) < 200


def test_sizes_and_positions_are_checked() -> None:
    assert [checked_page_size(size) for size in (0, 1, 1000, 1001)] == [50, 1, 1000, 1000]
    assert checked_sequence(0) == 0
    with pytest.raises(InvalidArgument, match=r"^page_size: -1 is negative; send 1 to 1000"):
        checked_page_size(-1)
    with pytest.raises(InvalidArgument, match=r"^after_sequence: -1 is negative; send 0"):
        checked_sequence(-1)
    with pytest.raises(InvalidArgument, match=r"^request_id: '1' is not a UUID"):
        checked_request_id("1")
