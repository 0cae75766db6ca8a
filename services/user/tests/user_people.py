"""Users for tests of the store, and all users of a store."""

from datetime import UTC, datetime

from user_service.domain import Creation, Profile, User
from user_service.store import UserStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def person(name: str, now: datetime = NOW) -> User:
    """Return a new user with the address `name`@example.com."""
    return User.new(Profile(email=f"{name}@example.com", name=name), now)


async def add(store: UserStore, *users: User) -> None:
    """Store users without request ids."""
    await store.create([Creation(user) for user in users])


async def every_user(store: UserStore, size: int = 1000) -> list[User]:
    """Return all users, page by page."""
    users: list[User] = []
    token = ""
    while True:
        page = await store.list(size, token)
        users += page.users
        token = page.next_token
        if not token:
            return users
