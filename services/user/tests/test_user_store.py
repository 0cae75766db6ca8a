"""The store's contract, for SQLite and PostgreSQL: whole transactions and unique addresses."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL

from grpc_service_kit.errors import InvalidArgument
from user_people import NOW, add, every_user, person
from user_service.domain import EmailTaken, Role, User, UserNotFound
from user_service.store import UserStore


async def test_a_user_comes_back_as_it_was_stored(any_store: UserStore) -> None:
    ada = replace(person("ada"), name="O'Neil'); DROP TABLE users; -- \U0001f600", role=Role.ADMIN)
    await add(any_store, ada)

    assert await any_store.get(ada.id) == ada


async def test_users_outlive_the_process(url: URL) -> None:
    ada = person("ada")
    async with UserStore.open(url) as store:
        await add(store, ada)

    async with UserStore.open(url) as store:
        assert await store.get(ada.id) == ada


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("ada@example.com", "ADA@Example.com", True),
        ("\u00e4da@example.com", "\u00c4da@example.com", False),
        ("\u0131@example.com", "I@example.com", False),
        (
            "\u212a@example.com",
            "k@example.com",
            False,
        ),  # The sign of Kelvin, whose lower case is k.
        ("a_a@example.com", "aba@example.com", False),
    ],
)
async def test_addresses_are_unique_without_regard_to_ascii_case(
    any_store: UserStore, first: str, second: str, *, same: bool
) -> None:
    one, other = (replace(person("x"), email=email) for email in (first, second))
    await add(any_store, one)
    if same:
        with pytest.raises(EmailTaken, match=rf"^email: {second} belongs to another user"):
            await add(any_store, other)
    else:
        await add(any_store, replace(other, id=person("y").id))

    found, _ = await any_store.upsert("", second, lambda known: known or person("new"))
    assert found is not None
    assert (found.email == first) is same


async def test_a_failed_create_stores_nothing(any_store: UserStore) -> None:
    ada = person("ada")
    with pytest.raises(EmailTaken, match=r"^entry 1: email: ADA@"):
        await add(any_store, ada, person("ADA"), person("grace"))

    assert await every_user(any_store) == []


async def test_the_first_entry_that_is_taken_is_named(any_store: UserStore) -> None:
    await add(any_store, person("c"), person("b"))
    with pytest.raises(EmailTaken, match=r"^entry 1: email: b@"):
        await add(any_store, *(person(name) for name in "abcd"))


async def test_a_batch_of_1000_is_stored_in_order(any_store: UserStore) -> None:
    batch = [person(f"{number}") for number in range(1000)]
    await add(any_store, *batch)

    assert await every_user(any_store, size=300) == batch


async def test_creating_nobody_is_fine(any_store: UserStore) -> None:
    assert await any_store.create([]) == []


async def test_of_many_creates_with_one_address_one_succeeds(any_store: UserStore) -> None:
    results = await asyncio.gather(
        *(add(any_store, person(name)) for name in ("ada", "ADA", "Ada") * 10),
        return_exceptions=True,
    )

    assert [type(result) for result in results if result is not None] == [EmailTaken] * 29
    assert len(await every_user(any_store)) == 1


async def test_unknown_users_are_not_found(any_store: UserStore) -> None:
    unknown = person("nobody").id
    for call in (
        any_store.get(unknown),
        any_store.update(unknown, lambda user: user),
        any_store.delete(unknown),
    ):
        with pytest.raises(UserNotFound, match=rf"^id: no user has the id {unknown}$"):
            await call


async def test_an_update_replaces_every_field_but_the_id(any_store: UserStore) -> None:
    ada, grace = person("ada"), person("grace")
    await add(any_store, ada, grace)
    later = NOW + timedelta(seconds=1)
    changed = replace(ada, email="l@b", name="L", role=Role.ADMIN, updated_at=later)

    assert await any_store.update(ada.id, lambda _: changed) == changed
    assert await every_user(any_store) == [changed, grace]


async def test_a_user_may_change_the_case_of_its_own_address(any_store: UserStore) -> None:
    ada = person("ada")
    await add(any_store, ada)
    await any_store.update(ada.id, lambda user: replace(user, email="ADA@example.com"))

    assert (await any_store.get(ada.id)).email == "ADA@example.com"


async def test_an_update_to_the_address_of_another_user_changes_nothing(
    any_store: UserStore,
) -> None:
    ada, grace = person("ada"), person("grace")
    await add(any_store, ada, grace)
    with pytest.raises(EmailTaken, match=r"^email: ADA@example.com belongs to another user"):
        await any_store.update(grace.id, lambda user: replace(user, email="ADA@example.com"))

    assert await every_user(any_store) == [ada, grace]


async def test_a_change_that_raises_leaves_the_user_and_the_store_usable(
    any_store: UserStore,
) -> None:
    ada = person("ada")
    await add(any_store, ada)

    def fail(_: User) -> User:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await any_store.update(ada.id, fail)
    assert await any_store.get(ada.id) == ada


async def test_concurrent_updates_of_one_user_lose_nothing(any_store: UserStore) -> None:
    ada = replace(person("ada"), name="")
    await add(any_store, ada)

    def longer(user: User) -> User:
        return replace(user, name=user.name + "x")

    await asyncio.gather(*(any_store.update(ada.id, longer) for _ in range(50)))

    assert (await any_store.get(ada.id)).name == "x" * 50


@pytest.mark.parametrize("by_id", [True, False])
async def test_of_many_upserts_of_one_user_one_creates_it(
    any_store: UserStore, *, by_id: bool
) -> None:
    ada = replace(person("ada"), name="")

    def longer(known: User | None) -> User:
        known = known or (ada if by_id else replace(person("ada"), name=""))
        return replace(known, name=known.name + "x")

    results = await asyncio.gather(
        *(any_store.upsert(ada.id if by_id else "", "ADA@example.com", longer) for _ in range(30))
    )

    assert sum(before is None for before, _ in results) == 1
    assert [user.name for user in await every_user(any_store)] == ["x" * 30]


async def test_an_upsert_with_the_address_of_another_user_is_refused(any_store: UserStore) -> None:
    ada, grace = person("ada"), person("grace")
    await add(any_store, ada, grace)
    unknown = replace(person("x"), email="ADA@example.com")
    for user in (unknown, replace(grace, email="ADA@example.com")):
        with pytest.raises(EmailTaken):
            await any_store.upsert(user.id, user.email, _always(user))

    assert await every_user(any_store) == [ada, grace]


def _always(user: User) -> Callable[[User | None], User]:
    return lambda _: user


async def test_a_deleted_user_leaves_its_address_free(any_store: UserStore) -> None:
    ada = person("ada")
    await add(any_store, ada)
    await any_store.delete(ada.id)
    again = person("ada")
    await add(any_store, again)

    assert await every_user(any_store) == [again]


async def test_a_token_of_another_database_is_refused(any_store: UserStore, url: URL) -> None:
    await add(any_store, *(person(name) for name in "abc"))
    token = (await any_store.list(1, "")).next_token
    middle = len(token) // 2
    forged = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    with pytest.raises(InvalidArgument, match="page_token: is not a token of this service"):
        await any_store.list(1, forged)

    async with UserStore.open(url) as replica:
        assert [user.name for user in (await replica.list(9, token)).users] == ["b", "c"]


async def test_a_cancelled_call_leaves_no_transaction_open(any_store: UserStore) -> None:
    """Cancel at every step a call can wait at, with many others waiting for the connection."""
    for steps in range(0, 60, 4):
        others = [
            asyncio.create_task(add(any_store, person(f"{steps}-other-{n}"))) for n in range(12)
        ]
        task = asyncio.create_task(add(any_store, person(f"{steps}-cancelled")))
        reader = asyncio.create_task(any_store.list(1, ""))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        reader.cancel()
        others[-1].cancel()
        await asyncio.gather(task, reader, *others, return_exceptions=True)
    ada = person("ada")
    await add(any_store, ada)

    assert await any_store.get(ada.id) == ada
    others_kept = [user for user in await every_user(any_store) if "other" in user.name]
    assert len(others_kept) >= 15 * 11


async def test_a_second_process_sees_and_obeys_the_same_users(url: URL) -> None:
    async with UserStore.open(url) as first, UserStore.open(url) as second:
        ada = person("ada")
        await add(first, ada)
        assert await second.get(ada.id) == ada
        with pytest.raises(EmailTaken):
            await add(second, person("ada"))


async def test_two_processes_writing_at_once_lose_nothing(url: URL) -> None:
    async with UserStore.open(url) as first, UserStore.open(url) as second:
        people = [person(f"{number}") for number in range(60)]
        await asyncio.gather(
            *(add(store, user) for user, store in zip(people, [first, second] * 30, strict=True))
        )

        assert {user.id for user in await every_user(first)} == {user.id for user in people}


async def test_a_database_that_answers_is_healthy(any_store: UserStore) -> None:
    await any_store.check()
