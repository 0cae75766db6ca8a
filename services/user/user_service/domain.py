"""Users and their rules. Knows nothing of gRPC, protobuf or SQL.

Every rule that fails raises an error of the kit whose text names the field and says how to fix it.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Self

from grpc_service_kit.errors import AlreadyExists, DomainError, InvalidArgument, NotFound

EMAIL_LIMIT = 254  # RFC 5321 section 4.5.3.1.3: a path has 256 characters with its brackets.
NAME_LIMIT = 200
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
MAX_BATCH_SIZE = 1000
REQUEST_ID_LIFETIME = timedelta(hours=24)
"""How long a create that is sent again gets its first answer."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_QUOTE_LIMIT = 80  # Status messages travel in a header, and servers limit the size of headers.


class UserNotFound(NotFound):
    """No user has this id."""


class EmailTaken(AlreadyExists):
    """Another user has this e-mail address."""


class RequestIdReused(AlreadyExists):
    """The request id was used before, to create another user."""


def at(position: int, error: DomainError) -> DomainError:
    """Return the error for the entry at `position`, counted from 0, of a request stream."""
    return type(error)(f"entry {position}: {error}")


class Role(Enum):
    """What a user may do."""

    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The fields a caller may set. A role of None means: keep it, or a member if new."""

    email: str
    name: str
    role: Role | None = None


@dataclass(frozen=True, kw_only=True)
class User:
    """One entry of the directory; both times are in UTC."""

    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    updated_at: datetime

    @classmethod
    def new(cls, profile: Profile, now: datetime, user_id: str = "") -> Self:
        """Return a valid new user, under a random id unless one is given."""
        return cls(
            id=user_id or str(uuid.uuid4()),
            email=_checked_email(profile.email),
            name=_checked_name(profile.name),
            role=profile.role or Role.MEMBER,
            created_at=now,
            updated_at=now,
        )

    def changed(
        self,
        now: datetime,
        *,
        email: str | None = None,
        name: str | None = None,
        role: Role | None = None,
    ) -> Self:
        """Return this user with the given fields set; the same object if nothing differs."""
        changed = replace(
            self,
            email=self.email if email is None else _checked_email(email),
            name=self.name if name is None else _checked_name(name),
            role=role or self.role,
        )
        return self if changed == self else replace(changed, updated_at=now)

    @classmethod
    def synced(cls, known: Self | None, profile: Profile, now: datetime, user_id: str = "") -> Self:
        """Return the known user brought in line with the profile, or a new one."""
        if known is None:
            return cls.new(profile, now, user_id)
        return known.changed(now, email=profile.email, name=profile.name, role=profile.role)


@dataclass(frozen=True)
class Creation:
    """A user to create, and the id of the request that asks for it: empty when it has none."""

    user: User
    request_id: str = ""


def checked_id(text: str) -> str:
    """Return a user id in its canonical spelling (RFC 9562: lower case with hyphens)."""
    return _uuid("id", text, "the id of a User")


def checked_request_id(text: str) -> str:
    """Return a request id in its canonical spelling; empty when there is none."""
    return text and _uuid("request_id", text, "a new random one for each user to create")


def check_request_ids(creations: Sequence[Creation]) -> None:
    """Refuse a batch that has a request id twice."""
    first: dict[str, int] = {}
    for position, creation in enumerate(creations):
        if creation.request_id and first.setdefault(creation.request_id, position) != position:
            raise InvalidArgument(
                f"entry {position}: request_id: {creation.request_id} is that of entry"
                f" {first[creation.request_id]} too; send a new UUID for each user"
            )


def checked_page_size(size: int) -> int:
    """Return how many users a page may hold: 0 asks for the default, too many for the maximum."""
    if size < 0:
        raise InvalidArgument(
            f"page_size: {size} is negative; send 1 to {MAX_PAGE_SIZE}, or 0 for"
            f" {DEFAULT_PAGE_SIZE}"
        )
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _checked_email(email: str) -> str:
    if len(email) > EMAIL_LIMIT:
        raise InvalidArgument(
            f"email: has {len(email)} characters; send at most {EMAIL_LIMIT} characters"
        )
    if not _EMAIL.fullmatch(email) or _CONTROL.search(email):
        raise InvalidArgument(
            f"email: {_quoted(email)} is not an e-mail address; send one such as ada@example.com"
        )
    return email


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > NAME_LIMIT:
        raise InvalidArgument(
            f"name: has {len(name.strip())} visible characters; send 1 to {NAME_LIMIT} characters"
        )
    if _CONTROL.search(name):
        raise InvalidArgument(
            f"name: {_quoted(name)} has control characters; send one line of plain text"
        )
    return name


def _uuid(field: str, text: str, what: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidArgument(
            f"{field}: {_quoted(text)} is not a UUID; send {what}, such as"
            " 123e4567-e89b-42d3-a456-426614174000"
        ) from None


def _quoted(text: str) -> str:
    short = text if len(text) <= _QUOTE_LIMIT else f"{text[:_QUOTE_LIMIT]}..."
    return repr(short)
