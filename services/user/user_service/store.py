"""UserStore: users in one SQLite file.

One connection serves every call and a lock lets one transaction use it at a time, so no call
sees half of another one's work. Each method is one transaction: it happens whole or not at all.
"""

import asyncio
import base64
import binascii
import sqlite3
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import aiosqlite

from user_service.domain import EmailTaken, InvalidArgument, Role, User, UserNotFound

# `seq` gives the order of pages; AUTOINCREMENT never uses a value twice, so that a page token
# stays right when users are deleted.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    email      TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,  -- microseconds since 1970 in UTC, as is updated_at
    updated_at INTEGER NOT NULL
) STRICT
"""
_INSERT = """
INSERT INTO users (id, email, name, role, created_at, updated_at)
VALUES (:id, :email, :name, :role, :created_at, :updated_at)
"""
_UPDATE = """
UPDATE users SET email = :email, name = :name, role = :role, updated_at = :updated_at
WHERE id = :id
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoreError(Exception):
    """The database file cannot be used."""


@dataclass(frozen=True)
class Page:
    """One page of users, oldest first; the token is empty when no user follows."""

    users: Sequence[User]
    next_token: str


class UserStore:
    """The users. Emails are unique without regard to ASCII case."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        """Use a connection that `open` has prepared."""
        self._connection = connection
        self._lock = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: str) -> AsyncIterator[Self]:
        """Open or create the database file; raise StoreError when it cannot be written."""
        await asyncio.to_thread(_prepare, path)
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            connection.row_factory = sqlite3.Row
            # Safe from corruption in WAL mode; a power cut may undo the last transactions.
            await connection.execute("PRAGMA synchronous = NORMAL")
            yield cls(connection)

    async def get(self, user_id: str) -> User:
        """Return one user; raise UserNotFound."""
        async with self._transaction():
            return await self._existing(user_id)

    async def create(self, users: Sequence[User]) -> None:
        """Insert all users or none; raise EmailTaken, which names the entry if there are more."""
        async with self._transaction():
            for position, user in enumerate(users):
                try:
                    await self._write(_INSERT, user)
                except EmailTaken as error:
                    raise (error.at(position) if len(users) > 1 else error) from None

    async def update(self, user_id: str, change: Callable[[User], User]) -> User:
        """Replace one user by what `change` makes of it; raise UserNotFound or EmailTaken."""
        async with self._transaction():
            user = await self._existing(user_id)
            changed = change(user)
            if changed != user:
                await self._write(_UPDATE, changed)
            return changed

    async def upsert(
        self, user_id: str, email: str, decide: Callable[[User | None], User]
    ) -> tuple[User | None, User]:
        """Find a user by id, or by e-mail if the id is empty, and store what `decide` returns.

        Returns the user before (None if new) and after; raises EmailTaken.
        """
        async with self._transaction():
            known = await (self._by_id(user_id) if user_id else self._by_email(email))
            wanted = decide(known)
            if wanted != known:
                await self._write(_INSERT if known is None else _UPDATE, wanted)
            return known, wanted

    async def delete(self, user_id: str) -> None:
        """Remove one user; raise UserNotFound."""
        async with self._transaction():
            cursor = await self._connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
            if cursor.rowcount == 0:
                raise _not_found(user_id)

    async def list(self, size: int, token: str) -> Page:
        """Return the page of at most `size` users after the one that `token` stands for."""
        after = _decode_token(token) if token else 0
        async with self._transaction():
            rows = list(
                await self._connection.execute_fetchall(
                    "SELECT * FROM users WHERE seq > ? ORDER BY seq LIMIT ?", (after, size + 1)
                )
            )
        next_token = _encode_token(rows[size - 1]["seq"]) if len(rows) > size else ""
        return Page([_user(row) for row in rows[:size]], next_token)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._lock:
            try:
                # IMMEDIATE takes the write lock at once: another process's write cannot come
                # between the reads and the writes of this transaction.
                await self._connection.execute("BEGIN IMMEDIATE")
                yield
                await self._connection.commit()
            except BaseException:  # A cancelled call must not leave its transaction open.
                await self._connection.rollback()
                raise

    async def _existing(self, user_id: str) -> User:
        user = await self._by_id(user_id)
        if user is None:
            raise _not_found(user_id)
        return user

    async def _by_id(self, user_id: str) -> User | None:
        return await self._one("SELECT * FROM users WHERE id = ?", user_id)

    async def _by_email(self, email: str) -> User | None:
        return await self._one("SELECT * FROM users WHERE email = ?", email)

    async def _one(self, query: str, key: str) -> User | None:
        async with self._connection.execute(query, (key,)) as cursor:
            row = await cursor.fetchone()
        return None if row is None else _user(row)

    async def _write(self, statement: str, user: User) -> None:
        try:
            await self._connection.execute(statement, _values(user))
        except sqlite3.IntegrityError as error:
            if "users.email" not in str(error):
                raise
            raise EmailTaken(
                f"email: {user.email} belongs to another user; send an address not in use"
            ) from None


def _prepare(path: str) -> None:
    """Make the file and its table; raise StoreError when that cannot be done.

    With the plain driver, as aiosqlite leaves a thread behind when it cannot open the file.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Readers of other processes (backups, sqlite3 shells) do not block the service:
            # https://www.sqlite.org/wal.html.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")  # Fails on a file that can only be read.
            connection.execute(_SCHEMA)
            connection.commit()
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"DATABASE_PATH: {path} cannot be used: {error}; set it to a SQLite file in a"
            " directory that this process may write"
        ) from error


def _not_found(user_id: str) -> UserNotFound:
    return UserNotFound(f"id: no user has the id {user_id}")


def _values(user: User) -> dict[str, Any]:
    microsecond = timedelta(microseconds=1)
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "created_at": (user.created_at - _EPOCH) // microsecond,
        "updated_at": (user.updated_at - _EPOCH) // microsecond,
    }


def _user(row: sqlite3.Row) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        created_at=_EPOCH + timedelta(microseconds=row["created_at"]),
        updated_at=_EPOCH + timedelta(microseconds=row["updated_at"]),
    )


def _encode_token(seq: int) -> str:
    return base64.urlsafe_b64encode(struct.pack(">q", seq)).decode().rstrip("=")


def _decode_token(token: str) -> int:
    try:
        (seq,) = struct.unpack(">q", base64.b64decode(f"{token}=", altchars=b"-_", validate=True))
    except (binascii.Error, struct.error, ValueError):
        raise InvalidArgument(
            "page_token: is not a token of this service; send the next-page-token of the page"
            " before, or leave it empty for the first page"
        ) from None
    return int(seq)
