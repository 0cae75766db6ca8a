"""The store's contract, for SQLite and PostgreSQL alike: stock is promised once, whole or not."""

import asyncio
import random
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import URL

from product_goods import NOW, every_product, new_id, product, reservation
from product_service.domain import (
    RELEASED_LIFETIME,
    Change,
    InsufficientStock,
    Product,
    ProductNotFound,
    Reservation,
    ReservationIdReused,
    ReservationReleased,
    Stock,
)
from product_service.store import ProductStore


async def reserved(store: ProductStore) -> list[int]:
    """Return how many units of each product are reserved."""
    return [one.reserved_quantity for one in await every_product(store)]


async def test_a_reservation_holds_units_until_it_is_released(any_store: ProductStore) -> None:
    tea, cup = [await any_store.create(product(name)) for name in ("tea", "cup")]
    held = await any_store.reserve(reservation((tea, 3), (cup, 10)))
    assert await reserved(any_store) == [3, 10]
    assert (await any_store.get(tea.id)).updated_at == NOW

    await any_store.release(held.id, NOW)
    assert await reserved(any_store) == [0, 0]
    assert await any_store.stock([tea.id]) == [Stock(tea.id, 10, 0, revision=3)]


async def test_all_items_are_reserved_or_none(any_store: ProductStore) -> None:
    tea, cup = [await any_store.create(product(name)) for name in ("tea", "cup")]
    wanted = reservation((tea, 3), (cup, 11))
    with pytest.raises(
        InsufficientStock, match=r"^only 10 units of the product .* not 11"
    ) as caught:
        await any_store.reserve(wanted)
    assert caught.value.metadata == {"product_id": cup.id, "available": "10"}
    assert await reserved(any_store) == [0, 0]

    missing = reservation((tea, 3), (product("nowhere"), 1))
    with pytest.raises(ProductNotFound):
        await any_store.reserve(missing)
    assert await reserved(any_store) == [0, 0]

    # The same id is good once there is enough.
    await any_store.update(cup.id, lambda known: known.changed(NOW, Change(stock_quantity=11)))
    assert await any_store.reserve(wanted) == wanted
    assert await reserved(any_store) == [3, 11]


async def test_a_reservation_that_is_sent_again_gets_its_first_answer(
    any_store: ProductStore,
) -> None:
    tea, cup = [await any_store.create(product(name)) for name in ("tea", "cup")]
    held = await any_store.reserve(reservation((tea, 3), (cup, 1)))
    again = reservation((cup, 1), (tea, 3), reservation_id=held.id.upper())

    assert await any_store.reserve(again) == held
    assert await reserved(any_store) == [3, 1]


async def test_a_reservation_id_with_other_items_is_refused(any_store: ProductStore) -> None:
    tea, cup = [await any_store.create(product(name)) for name in ("tea", "cup")]
    held = await any_store.reserve(reservation((tea, 3)))
    for items in ([(tea, 2)], [(cup, 3)], [(tea, 3), (cup, 1)]):
        with pytest.raises(ReservationIdReused, match="was used for other items"):
            await any_store.reserve(reservation(*items, reservation_id=held.id))

    assert await reserved(any_store) == [3, 0]


async def test_releasing_again_changes_nothing(any_store: ProductStore) -> None:
    tea = await any_store.create(product())
    held = await any_store.reserve(reservation((tea, 3)))
    await any_store.reserve(reservation((tea, 2)))
    for _ in range(3):
        await any_store.release(held.id, NOW)

    assert await reserved(any_store) == [2]


@pytest.mark.parametrize("held_before", [True, False])
async def test_a_reservation_that_comes_after_its_release_is_refused(
    any_store: ProductStore, *, held_before: bool
) -> None:
    tea = await any_store.create(product())
    wanted = reservation((tea, 3))
    if held_before:
        await any_store.reserve(wanted)
    await any_store.release(wanted.id, NOW)
    with pytest.raises(ReservationReleased, match="was released; reserve under a new id"):
        await any_store.reserve(wanted)

    assert await reserved(any_store) == [0]


async def test_released_ids_are_forgotten_after_a_while(any_store: ProductStore) -> None:
    tea = await any_store.create(product())
    wanted = reservation((tea, 3))
    await any_store.release(wanted.id, NOW)
    kept = await any_store.reserve(reservation((tea, 1)))
    later = NOW + RELEASED_LIFETIME + timedelta(seconds=1)
    for _ in range(64):
        await any_store.release(new_id(), later)

    assert await any_store.reserve(wanted) == wanted
    assert await any_store.reserve(kept) == kept
    assert await reserved(any_store) == [4]


async def test_stock_cannot_be_less_than_what_is_reserved(any_store: ProductStore) -> None:
    tea = await any_store.create(product())
    await any_store.reserve(reservation((tea, 3)))

    for stock in (2, 0):
        change = Change(stock_quantity=stock)
        with pytest.raises(InsufficientStock, match="is less than the 3 units that are reserved"):
            await any_store.update(tea.id, partial(Product.changed, now=NOW, change=change))
    exact = Change(stock_quantity=3)
    assert (await any_store.update(tea.id, lambda known: known.changed(NOW, exact))).available == 0


async def test_nothing_is_promised_twice(url: URL) -> None:
    """Two processes reserve and release at random, in any order of products."""
    async with ProductStore.open(url) as first, ProductStore.open(url) as second:
        goods = [await first.create(product(f"{number}", stock=5)) for number in range(4)]
        dice = random.Random(7)  # noqa: S311 no secret

        async def customer(store: ProductStore) -> dict[str, int]:
            chosen = dice.sample(goods, 3)
            wanted = reservation(*((one, dice.randint(1, 2)) for one in chosen))
            give_up = dice.random() < 0.5
            twice = (store.reserve(wanted) for _ in range(2))
            answers = await asyncio.gather(*twice, return_exceptions=True)
            assert {type(answer) for answer in answers} <= {Reservation, InsufficientStock}
            if wanted not in answers:
                return {}
            if give_up:
                await asyncio.gather(*(other.release(wanted.id, NOW) for other in (first, second)))
                return {}
            return {item.product_id: item.quantity for item in wanted.items}

        held = await asyncio.gather(*(customer(store) for store in [first, second] * 20))
        expected = [sum(items.get(one.id, 0) for items in held) for one in goods]

        assert await reserved(first) == expected
        assert 0 < max(expected) <= 5


async def test_of_a_reservation_and_its_release_at_once_the_release_wins(
    any_store: ProductStore,
) -> None:
    tea = await any_store.create(product(stock=1000))
    for _ in range(10):
        wanted = reservation((tea, 1))
        await asyncio.gather(
            any_store.reserve(wanted), any_store.release(wanted.id, NOW), return_exceptions=True
        )

    assert await reserved(any_store) == [0]
