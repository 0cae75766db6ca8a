"""The store's contract, for SQLite and PostgreSQL alike: the catalogue."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL

from grpc_service_kit.errors import InvalidArgument
from grpc_service_kit.sql import Limits
from product_goods import NOW, every_product, new_id, product, reservation
from product_service.domain import (
    REQUEST_ID_LIFETIME,
    Change,
    Price,
    Product,
    ProductNotFound,
    ProductReserved,
    RequestIdReused,
    Stock,
)
from product_service.store import ProductStore


async def test_a_product_comes_back_as_it_was_stored(any_store: ProductStore) -> None:
    tea = replace(
        product("O'Neil'); DROP TABLE products; -- \U0001f600", stock=1_000_000_000),
        price=Price("JPY", 1_000_000_000, 999_999_999),
    )
    await any_store.create(tea)

    assert await any_store.get(tea.id) == tea


async def test_products_outlive_the_process(url: URL) -> None:
    tea = product()
    async with ProductStore.open(url, Limits(connections=1)) as store:
        await store.create(tea)

    async with ProductStore.open(url) as store:
        assert await store.get(tea.id) == tea


async def test_unknown_products_are_not_found(any_store: ProductStore) -> None:
    unknown = new_id()
    for call in (
        any_store.get(unknown),
        any_store.update(unknown, lambda product: product),
        any_store.delete(unknown),
    ):
        with pytest.raises(ProductNotFound, match=f"^no product has the id {unknown}$"):
            await call


async def test_pages_have_every_product_once_oldest_first(any_store: ProductStore) -> None:
    goods = [product(f"{number}") for number in range(10)]
    for one in goods:
        await any_store.create(one)
    page = await any_store.list(3, "")
    await any_store.delete(page.products[-1].id)

    assert (await any_store.list(3, page.next_token)).products == goods[3:6]
    assert await every_product(any_store, 2) == goods[:2] + goods[3:]
    assert await every_product(any_store, 9) == goods[:2] + goods[3:]


async def test_a_token_of_another_database_is_refused(any_store: ProductStore) -> None:
    for token in ("x", "A" * 32):
        with pytest.raises(InvalidArgument, match=r"^page_token: is not a token of this service"):
            await any_store.list(1, token)


async def test_an_update_changes_what_it_says(any_store: ProductStore) -> None:
    tea, cup = product("tea"), product("cup")
    for one in (tea, cup):
        await any_store.create(one)
    later = NOW + timedelta(seconds=1)
    change = Change(name="green tea", price=Price("USD", 1, 5), stock_quantity=11)

    after = await any_store.update(tea.id, lambda known: known.changed(later, change))

    assert after == replace(
        tea, name="green tea", price=Price("USD", 1, 5), stock_quantity=11, updated_at=later
    )
    assert await every_product(any_store) == [after, cup]


async def test_concurrent_updates_of_one_product_lose_nothing(any_store: ProductStore) -> None:
    tea = await any_store.create(product(stock=0))

    def more(known: Product) -> Product:
        return known.changed(NOW, Change(stock_quantity=known.stock_quantity + 1))

    await asyncio.gather(*(any_store.update(tea.id, more) for _ in range(30)))

    assert (await any_store.get(tea.id)).stock_quantity == 30
    assert await any_store.stock([tea.id]) == [Stock(tea.id, 30, 0, revision=31)]


async def test_a_product_that_is_reserved_cannot_be_deleted(any_store: ProductStore) -> None:
    tea = await any_store.create(product())
    held = await any_store.reserve(reservation((tea, 1)))
    with pytest.raises(ProductReserved, match=r"^1 units of the product"):
        await any_store.delete(tea.id)
    await any_store.release(held.id, NOW)
    await any_store.delete(tea.id)

    assert await every_product(any_store) == []


async def test_a_create_that_is_sent_again_gets_its_first_answer(any_store: ProductStore) -> None:
    request_id = new_id()
    tea = await any_store.create(product(), request_id)
    await any_store.delete(tea.id)
    again = replace(product(), created_at=NOW + timedelta(hours=23))

    assert await any_store.create(again, request_id) == tea
    assert await every_product(any_store) == []


async def test_a_request_id_with_other_content_is_refused(any_store: ProductStore) -> None:
    request_id = new_id()
    tea = await any_store.create(product(), request_id)
    for other in (
        product("cup"),
        product(stock=11),
        replace(product(), price=Price("EUR", 12)),
        replace(product(), price=Price("USD", 12, 990_000_000)),
    ):
        with pytest.raises(RequestIdReused, match="was used to create another product"):
            await any_store.create(other, request_id)

    assert await every_product(any_store) == [tea]


async def test_a_request_id_is_known_for_a_day(any_store: ProductStore) -> None:
    request_id = new_id()
    await any_store.create(product(), request_id)
    late = replace(product("cup"), created_at=NOW + REQUEST_ID_LIFETIME + timedelta(seconds=1))

    assert await any_store.create(late, request_id) == late


async def test_of_many_equal_creates_at_once_one_creates(any_store: ProductStore) -> None:
    request_id = new_id()
    answers = await asyncio.gather(*(any_store.create(product(), request_id) for _ in range(20)))

    assert await every_product(any_store) == answers[:1]
    assert answers == answers[:1] * 20


async def test_the_stock_of_many_is_read_at_once(any_store: ProductStore) -> None:
    tea = await any_store.create(product())
    unknown = [new_id() for _ in range(2500)]

    assert await any_store.stock([*unknown, tea.id]) == [Stock(tea.id, 10, 0, revision=1)]
