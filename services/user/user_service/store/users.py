"""UserStore: users in SQLite or PostgreSQL. Each method is one transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import URL, ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import Database, Limits, PageTokens, insert_into, is_sqlite
from user_service.domain import Creation, EmailTaken, Role, User, UserNotFound, at
from user_service.store.create_requests import CreateRequests
from user_service.store.migrations import SCHEMA
from user_service.store.schema import page_token_key, users

_USER = (
    users.c.id,
    users.c.email,
    users.c.name,
    users.c.role,
    users.c.created_at,
    users.c.updated_at,
)


@dataclass(frozen=True)
class Page:
    """One page of users, oldest first; the token is empty when no user follows."""

    users: Sequence[User]
    next_token: str


class UserStore:
    """The users. Emails are unique without regard to ASCII case.

    Every method raises DatabaseUnavailable when the database is away, and DatabaseOverloaded when
    all connections stay in use.
    """

    def __init__(self, database: Database, tokens: PageTokens) -> None:
        """Use a database that `open` has made ready."""
        self._database = database
        self._tokens = tokens
        self._requests = CreateRequests()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: URL, limits: Limits | None = None) -> AsyncIterator[Self]:
        """Make the database ready, migrations included, and use it; raise StoreError."""
        async with SCHEMA.open(url, limits or Limits()) as database:
            (row,) = await database.read_at_start(select(page_token_key.c.key))
            yield cls(database, PageTokens(row.key, "users by seq"))

    async def check(self) -> None:
        """Return when the database answers; raise DatabaseUnavailable."""
        await self._database.check()

    async def get(self, user_id: str) -> User:
        """Return one user; raise UserNotFound."""
        for row in await self._database.read(select(*_USER).where(users.c.id == user_id)):
            return _user(row)
        raise _not_found(user_id)

    async def create(self, creations: Sequence[Creation]) -> list[User]:
        """Store all users or none, and return them as stored.

        A creation whose request id is known comes back as it was stored the first time. Raises
        EmailTaken or RequestIdReused, which names the entry if there are more.
        """

        async def work(connection: AsyncConnection) -> list[User]:
            answers = await self._requests.claim(connection, creations)
            new = [entry.user for entry in creations if entry.request_id not in answers]
            stored = await _insert(connection, new)
            for position, creation in enumerate(creations):
                if creation.request_id not in answers and creation.user.id not in stored:
                    error = _taken(creation.user)
                    raise at(position, error) if len(creations) > 1 else error
            return [answers.get(creation.request_id, creation.user) for creation in creations]

        return await self._database.run(work)

    async def update(self, user_id: str, change: Callable[[User], User]) -> User:
        """Replace one user by what `change` makes of it; raise UserNotFound or EmailTaken.

        `change` may be called more than once, when this change clashes with another one.
        """

        async def work(connection: AsyncConnection) -> User:
            user = await _one(connection, users.c.id == user_id)
            if user is None:
                raise _not_found(user_id)
            return await _replace(connection, user, change(user))

        return await self._database.run(work)

    async def upsert(
        self, user_id: str, email: str, decide: Callable[[User | None], User]
    ) -> tuple[User | None, User]:
        """Find a user by id, or by e-mail if the id is empty, and store what `decide` returns.

        Returns the user before (None if new) and after; raises EmailTaken. `decide` may be called
        more than once.
        """

        async def work(connection: AsyncConnection) -> tuple[User | None, User]:
            key = users.c.id == user_id if user_id else _email_is(connection, email)
            known = await _one(connection, key)
            wanted = decide(known)
            while known is None:
                if await _insert(connection, [wanted]):
                    return None, wanted
                # The address is taken, unless another call has just created this very user.
                known = await _one(connection, key)
                if known is None:
                    raise _taken(wanted)
                wanted = decide(known)
            return known, await _replace(connection, known, wanted)

        return await self._database.run(work)

    async def delete(self, user_id: str) -> None:
        """Remove one user; raise UserNotFound."""

        async def work(connection: AsyncConnection) -> None:
            done = await connection.execute(delete(users).where(users.c.id == user_id))
            if done.rowcount == 0:
                raise _not_found(user_id)

        await self._database.run(work)

    async def list(self, size: int, token: str) -> Page:
        """Return the page of at most `size` users after the one that `token` stands for."""
        after = self._tokens.open(token) if token else 0
        query = select(users.c.seq, *_USER).where(users.c.seq > after)
        rows = await self._database.read(query.order_by(users.c.seq).limit(size + 1))
        next_token = self._tokens.seal(rows[size - 1].seq) if len(rows) > size else ""
        return Page([_user(row) for row in rows[:size]], next_token)


def _email_is(connection: AsyncConnection, email: str) -> ColumnElement[bool]:
    """Return the condition that the unique index on e-mail addresses answers."""
    if is_sqlite(connection):
        return users.c.email == email
    # bytes.lower() changes ASCII letters only, as does lower() on this column.
    return func.lower(users.c.email) == email.encode().lower().decode()


async def _one(connection: AsyncConnection, key: ColumnElement[bool]) -> User | None:
    """Return the user and keep others from changing it until the transaction ends."""
    row = (await connection.execute(select(*_USER).where(key).with_for_update())).one_or_none()
    return None if row is None else _user(row)


async def _insert(connection: AsyncConnection, new: Sequence[User]) -> set[str]:
    """Insert the users whose addresses are free; return the ids of these."""
    if not new:
        return set()
    insert = insert_into(connection, users).on_conflict_do_nothing().returning(users.c.id)
    return set(await connection.scalars(insert, [_values(user) for user in new]))


async def _replace(connection: AsyncConnection, known: User, wanted: User) -> User:
    if wanted != known:
        try:
            await connection.execute(
                update(users).where(users.c.id == known.id).values(_values(wanted))
            )
        except IntegrityError:
            raise _taken(wanted) from None
    return wanted


def _taken(user: User) -> EmailTaken:
    return EmailTaken(f"email: {user.email} belongs to another user; send an address not in use")


def _not_found(user_id: str) -> UserNotFound:
    return UserNotFound(f"id: no user has the id {user_id}")


def _values(user: User) -> dict[str, Any]:
    return {**vars(user), "role": user.role.value}


def _user(row: Any) -> User:
    """Take the columns of `_USER` by name."""
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
