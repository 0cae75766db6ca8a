"""The store's contract, for SQLite and PostgreSQL alike: every change has its event, once."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL

from grpc_service_kit.errors import InvalidArgument
from grpc_service_kit.sql import Limits
from grpc_service_kit.testing.polling import TIMEOUT
from order_service import saga
from order_service.domain import (
    Event,
    Item,
    Order,
    OrderNotFound,
    Refusal,
    RequestIdReused,
    Status,
)
from order_service.saga import Answer, Outcome, Progress
from order_service.store import OrderStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
AFTER = NOW + saga.LEASE
ADA, GRACE = str(uuid.uuid4()), str(uuid.uuid4())


def an_order(user_id: str = ADA, *quantities: int) -> Order:
    items = [Item(str(uuid.uuid4()), quantity) for quantity in quantities or (1,)]
    return Order.new(user_id, items, NOW)


async def place(store: OrderStore, order: Order, request_id: str = "") -> Progress:
    return await store.place(saga.begin(order, NOW), request_id)


async def settle(store: OrderStore, done: Progress, outcome: Outcome) -> Progress:
    _, after = await store.update(
        done.order.id, lambda current: saga.settle(current, done, outcome, AFTER)
    )
    return after


async def every_event(store: OrderStore, user_id: str = "", size: int = 100) -> list[Event]:
    events: list[Event] = []
    while page := await store.events(events[-1].sequence if events else 0, user_id, size):
        events += page
    return events


def reported(events: Sequence[Event]) -> list[tuple[str, Status]]:
    return [(event.order.id, event.order.status) for event in events]


async def test_an_order_comes_back_as_it_was_stored(any_store: OrderStore) -> None:
    order = an_order(ADA, 1, 10_000, 7)
    progress = await place(any_store, order)

    assert progress == saga.begin(order, NOW)
    assert await any_store.get(order.id) == order
    assert await every_event(any_store) == [Event(1, order)]


async def test_orders_and_events_outlive_the_process(url: URL) -> None:
    order = an_order()
    async with OrderStore.open(url, Limits()) as store:
        await place(store, order)

    async with OrderStore.open(url, Limits()) as store:
        assert await store.get(order.id) == order
        assert await every_event(store) == [Event(1, order)]


async def test_unknown_orders_are_not_found(any_store: OrderStore) -> None:
    unknown = an_order().id
    for call in (any_store.get(unknown), any_store.update(unknown, lambda progress: progress)):
        with pytest.raises(OrderNotFound, match=f"^id: no order has the id {unknown}$"):
            await call


async def test_every_change_of_status_is_one_event(any_store: OrderStore) -> None:
    first, second = an_order(), an_order(GRACE)
    one, two = await place(any_store, first), await place(any_store, second)
    await settle(any_store, two, Refusal("SOLD_OUT", "there is none; it's gone"))
    await settle(any_store, one, Answer.DONE)
    await any_store.update(first.id, lambda progress: saga.cancel(progress, AFTER))
    await any_store.update(first.id, lambda progress: saga.cancel(progress, AFTER))

    events = await every_event(any_store)
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert reported(events) == [
        (first.id, Status.PENDING),
        (second.id, Status.PENDING),
        (second.id, Status.REJECTED),
        (first.id, Status.CONFIRMED),
        (first.id, Status.CANCELLED),
    ]
    assert events[2].order == await any_store.get(second.id)
    assert events[2].order.refusal == Refusal("SOLD_OUT", "there is none; it's gone")
    assert events[3].order == replace(first, status=Status.CONFIRMED, updated_at=AFTER)
    assert await any_store.last_sequence() == 5
    assert await every_event(any_store, ADA, size=1) == [events[0], events[3], events[4]]
    assert await any_store.events(5, "", 100) == []


async def test_a_change_that_raises_changes_nothing(any_store: OrderStore) -> None:
    order = an_order()
    await place(any_store, order)

    def fail(_: Progress) -> Progress:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await any_store.update(order.id, fail)
    assert await every_event(any_store) == [Event(1, order)]


async def test_a_request_id_places_one_order(any_store: OrderStore) -> None:
    request_id, order = str(uuid.uuid4()), an_order(ADA, 3)
    first = await place(any_store, order, request_id)
    confirmed = await settle(any_store, first, Answer.DONE)
    again = replace(order, id=an_order().id, created_at=AFTER)

    assert await any_store.placed(again, request_id) == confirmed.order
    assert (await place(any_store, again, request_id)).order == confirmed.order
    assert await any_store.placed(again, "") is None
    assert await any_store.placed(again, str(uuid.uuid4())) is None
    assert await any_store.last_sequence() == 2


async def test_a_request_id_with_other_content_is_refused(any_store: OrderStore) -> None:
    request_id, order = str(uuid.uuid4()), an_order(ADA, 3)
    await place(any_store, order, request_id)
    (item,) = order.items
    for other in (
        replace(order, id=an_order().id, user_id=GRACE),
        replace(order, id=an_order().id, items=(replace(item, quantity=4),)),
        replace(order, id=an_order().id, items=(item, *an_order().items)),
    ):
        with pytest.raises(RequestIdReused, match=f"^request_id: {request_id} was used"):
            await any_store.placed(other, request_id)
        with pytest.raises(RequestIdReused):
            await place(any_store, other, request_id)
    assert await any_store.last_sequence() == 1


async def test_of_many_requests_with_one_id_one_places_the_order(url: URL) -> None:
    request_id, order = str(uuid.uuid4()), an_order()
    async with OrderStore.open(url, Limits()) as first, OrderStore.open(url, Limits()) as second:
        placed = await asyncio.gather(
            *(
                place(store, replace(order, id=an_order().id), request_id)
                for store in [first, second] * 15
            )
        )
        assert len({progress.order.id for progress in placed}) == 1
        assert await first.last_sequence() == 1


async def test_numbers_are_seen_in_order_and_none_is_missed(url: URL) -> None:
    """A watcher that reads all the time while two processes write."""
    async with OrderStore.open(url, Limits()) as first, OrderStore.open(url, Limits()) as second:

        async def write(store: OrderStore) -> None:
            await settle(store, await place(store, an_order()), Answer.DONE)

        writers = asyncio.gather(*(write(store) for store in [first, second] * 40))
        seen: list[int] = []
        async with asyncio.timeout(TIMEOUT):
            while len(seen) < 160:
                last = seen[-1] if seen else 0
                seen += [event.sequence for event in await second.events(last, "", 7)]
        await writers

    assert seen == list(range(1, 161))


async def test_an_order_is_claimed_when_it_is_due_and_by_one_worker(url: URL) -> None:
    async with OrderStore.open(url, Limits()) as first, OrderStore.open(url, Limits()) as second:
        orders = [an_order() for _ in range(20)]
        for order in orders:
            await place(first, order)
        done = await settle(first, await place(first, an_order()), Answer.DONE)
        assert await first.claim_due(100, AFTER - timedelta(microseconds=1)) == []

        claims = await asyncio.gather(*(store.claim_due(3, AFTER) for store in [first, second] * 7))
        claimed = [progress for some in claims for progress in some]
        claimed += await first.claim_due(100, AFTER)

        assert sorted(progress.order.id for progress in claimed) == sorted(
            order.id for order in orders
        )
        assert all(len(some) <= 3 for some in claims)
        assert {progress.claim for progress in claimed} == {2}
        assert {progress.due_at for progress in claimed} == {AFTER + saga.LEASE}
        assert done.order.id not in {progress.order.id for progress in claimed}
        again = await second.claim_due(100, AFTER + saga.LEASE)
        assert {progress.claim for progress in again} == {3}
        assert await second.last_sequence() == 22


async def test_a_claim_that_was_taken_over_changes_nothing(any_store: OrderStore) -> None:
    mine = await place(any_store, an_order())
    (theirs,) = await any_store.claim_due(1, AFTER)
    await settle(any_store, mine, Refusal("SOLD_OUT", "gone"))

    assert (await any_store.get(mine.order.id)).status is Status.PENDING
    assert (await settle(any_store, theirs, Answer.DONE)).order.status is Status.CONFIRMED


async def test_pages_have_the_orders_of_one_user_newest_first(any_store: OrderStore) -> None:
    mine, others = [an_order() for _ in range(5)], [an_order(GRACE) for _ in range(5)]
    for order, other in zip(mine, others, strict=True):
        await place(any_store, order)
        await place(any_store, other)

    seen: list[Order] = []
    token, sizes = "", []
    while token or not seen:
        page = await any_store.list(ADA, 2, token)
        seen += page.orders
        sizes.append(len(page.orders))
        token = page.next_token
        await place(any_store, an_order())  # Comes before the pages that are still to come.

    assert seen == mine[::-1]
    assert sizes == [2, 2, 1]
    assert (await any_store.list(str(uuid.uuid4()), 2, "")).orders == []


async def test_a_token_is_good_for_its_user_only_and_in_every_process(url: URL) -> None:
    async with OrderStore.open(url, Limits()) as store:
        for _ in range(3):
            await place(store, an_order())
        token = (await store.list(ADA, 1, "")).next_token
    async with OrderStore.open(url, Limits()) as store:
        assert len((await store.list(ADA, 9, token)).orders) == 2
        with pytest.raises(InvalidArgument, match="page_token: is not a token"):
            await store.list(GRACE, 9, token)


async def test_a_database_that_answers_is_healthy(any_store: OrderStore) -> None:
    await any_store.check()
