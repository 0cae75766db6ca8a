"""Request ids: a create that is sent again gets its first answer, on each database."""

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL

from grpc_service_kit.testing.sql import scalar
from user_people import NOW, every_user, person
from user_service.domain import Creation, EmailTaken, RequestIdReused, Role, User
from user_service.store import UserStore

ID = "123e4567-e89b-42d3-a456-426614174000"


async def create(store: UserStore, user: User, request_id: str = ID) -> User:
    (stored,) = await store.create([Creation(user, request_id)])
    return stored


def again(user: User, *, later: timedelta = timedelta(minutes=1)) -> User:
    """Return what the service makes of the same request when it comes again."""
    return replace(
        user,
        id=str(uuid.uuid4()),
        created_at=user.created_at + later,
        updated_at=user.updated_at + later,
    )


async def test_the_same_request_gets_the_first_answer(any_store: UserStore) -> None:
    ada = person("ada")

    assert await create(any_store, ada) == ada
    assert await create(any_store, again(ada)) == ada
    assert await every_user(any_store) == [ada]


async def test_the_first_answer_stays_when_the_user_changes_or_goes(any_store: UserStore) -> None:
    ada = await create(any_store, person("ada"))
    await any_store.update(ada.id, lambda user: replace(user, name="Other", email="o@b"))
    assert await create(any_store, again(ada)) == ada

    await any_store.delete(ada.id)
    assert await create(any_store, again(ada)) == ada
    assert await every_user(any_store) == []


async def test_a_replica_knows_the_request_too(url: URL) -> None:
    async with UserStore.open(url) as one, UserStore.open(url) as other:
        ada = await create(one, person("ada"))
        assert await create(other, again(ada)) == ada


@pytest.mark.parametrize("change", [{"email": "x@y"}, {"name": "x"}, {"role": Role.ADMIN}])
async def test_the_same_id_with_other_content_is_refused(
    any_store: UserStore, change: dict[str, str | Role]
) -> None:
    ada = await create(any_store, person("ada"))
    with pytest.raises(RequestIdReused, match=rf"^request_id: {ID} was used to create another"):
        await create(any_store, replace(again(ada), **change))  # type: ignore[arg-type]

    assert await every_user(any_store) == [ada]


async def test_the_same_content_with_another_id_is_another_request(any_store: UserStore) -> None:
    ada = await create(any_store, person("ada"))
    for request_id in ("", str(uuid.uuid4())):
        with pytest.raises(EmailTaken):
            await create(any_store, again(ada), request_id)


async def test_a_request_that_failed_is_not_remembered(any_store: UserStore) -> None:
    ada = await create(any_store, person("ada"), "")
    grace = person("grace")
    with pytest.raises(EmailTaken):
        await create(any_store, again(ada))

    assert await create(any_store, grace) == grace


async def test_of_many_at_once_one_creates_the_user(url: URL) -> None:
    async with UserStore.open(url) as one, UserStore.open(url) as other:
        ada = person("ada")
        answers = await asyncio.gather(
            *(create(store, again(ada)) for _ in range(15) for store in (one, other))
        )

        assert answers == [answers[0]] * 30
        assert await every_user(one) == [answers[0]]


async def test_a_request_is_known_for_24_hours(any_store: UserStore) -> None:
    ada = await create(any_store, person("ada"))
    await any_store.delete(ada.id)
    in_time = again(ada, later=timedelta(hours=24))
    assert await create(any_store, in_time) == ada

    late = again(ada, later=timedelta(hours=24, microseconds=1))
    assert await create(any_store, late) == late
    assert await create(any_store, again(late)) == late


async def test_expired_requests_are_removed_while_new_ones_come(
    any_store: UserStore, url: URL
) -> None:
    async def batch(day: int) -> None:
        users = [person(f"{day}-{n}", NOW + timedelta(days=day)) for n in range(64)]
        await any_store.create([Creation(user, str(uuid.uuid4())) for user in users])

    for day in (0, 0.5, 0.6, 0.7):
        await batch(day)  # type: ignore[arg-type]
    assert await scalar(url, "SELECT count(*) FROM create_requests") == 4 * 64
    for day in (3, 4, 5, 6):
        await batch(day)

    assert await scalar(url, "SELECT count(*) FROM create_requests") == 2 * 64
    assert len(await every_user(any_store)) == 8 * 64


async def test_a_batch_that_comes_again_gets_its_first_answer(any_store: UserStore) -> None:
    creations = [Creation(person(name), str(uuid.uuid4())) for name in "abc"]
    first = await any_store.create(creations)
    repeated = [Creation(again(entry.user), entry.request_id) for entry in creations]
    more = [*reversed(repeated), Creation(person("d"), str(uuid.uuid4())), Creation(person("e"))]

    assert await any_store.create(repeated) == first
    answers = await any_store.create(more)
    assert answers == [*reversed(first), more[3].user, more[4].user]
    assert await every_user(any_store) == [*first, more[3].user, more[4].user]


async def test_a_batch_with_one_reused_id_names_it_and_stores_nothing(
    any_store: UserStore,
) -> None:
    ada = await create(any_store, person("ada"))
    new = Creation(person("a"), str(uuid.uuid4()))
    with pytest.raises(RequestIdReused, match=rf"^entry 1: request_id: {ID} was used"):
        await any_store.create([new, Creation(person("b"), ID)])

    assert await every_user(any_store) == [ada]
    assert await any_store.create([new]) == [new.user]


async def test_crossing_batches_both_get_an_answer(url: URL) -> None:
    """The same new ids and addresses, the other way round, from two replicas at once."""
    entries = [(person(f"{n}"), str(uuid.uuid4())) for n in range(200)]
    async with UserStore.open(url) as one, UserStore.open(url) as other:
        forth = [Creation(again(user), request_id) for user, request_id in entries]
        back = [Creation(again(user), request_id) for user, request_id in reversed(entries)]
        first, second = await asyncio.gather(one.create(forth), other.create(back))

        assert first == list(reversed(second))
        assert sorted(user.id for user in await every_user(one)) == sorted(u.id for u in first)
