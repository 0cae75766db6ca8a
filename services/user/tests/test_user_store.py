"""The store's contract: whole transactions, unique addresses, and a file that lasts."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from user_service.domain import EmailTaken, Profile, User, UserNotFound
from user_service.store import StoreError, UserStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def person(name: str) -> User:
    return User.new(Profile(email=f"{name}@example.com", name=name), NOW)


async def test_a_user_comes_back_as_it_was_stored(store: UserStore) -> None:
    ada = replace(person("ada"), name="O'Neil'); DROP TABLE users; --")
    await store.create([ada])

    assert await store.get(ada.id) == ada


async def test_users_outlive_the_process(tmp_path: Path) -> None:
    path = str(tmp_path / "users.db")
    ada = person("ada")
    async with UserStore.open(path) as store:
        await store.create([ada])

    async with UserStore.open(path) as store:
        assert await store.get(ada.id) == ada


async def test_a_failed_create_stores_nothing(store: UserStore) -> None:
    ada = person("ada")
    with pytest.raises(EmailTaken, match="entry 1: email: ADA@"):
        await store.create([ada, person("ADA")])

    with pytest.raises(UserNotFound):
        await store.get(ada.id)


async def test_a_change_that_raises_leaves_the_user_and_the_store_usable(
    store: UserStore,
) -> None:
    ada = person("ada")
    await store.create([ada])

    def fail(_: User) -> User:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.update(ada.id, fail)
    assert await store.get(ada.id) == ada


async def test_concurrent_updates_of_one_user_lose_nothing(store: UserStore) -> None:
    ada = replace(person("ada"), name="")
    await store.create([ada])

    def longer(user: User) -> User:
        return replace(user, name=user.name + "x")

    await asyncio.gather(*(store.update(ada.id, longer) for _ in range(50)))

    assert (await store.get(ada.id)).name == "x" * 50


async def test_a_cancelled_call_leaves_no_transaction_open(store: UserStore) -> None:
    """Cancel at every step a call can wait at."""
    for steps in range(12):
        task = asyncio.create_task(store.create([person(f"cancelled-{steps}")]))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        ada = person(f"ada-{steps}")
        await store.create([ada])
        assert await store.get(ada.id) == ada


async def test_a_second_process_sees_and_obeys_the_same_users(tmp_path: Path) -> None:
    path = str(tmp_path / "users.db")
    async with UserStore.open(path) as first, UserStore.open(path) as second:
        ada = person("ada")
        await first.create([ada])
        assert await second.get(ada.id) == ada
        with pytest.raises(EmailTaken):
            await second.create([person("ada")])


async def test_a_database_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"DATABASE_PATH: .*missing/users.db cannot be used: .*set"
    ):
        async with UserStore.open(str(tmp_path / "missing" / "users.db")):
            pass


async def test_a_file_that_is_no_database_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "users.db"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match="file is not a database; set it to a SQLite file"):
        async with UserStore.open(str(path)):
            pass
