"""UserServicer: proto messages to domain values and back. Rules live in `domain.py`."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf import empty_pb2, timestamp_pb2

from grpc_service_kit.errors import DomainError, InvalidArgument
from user.v1 import user_pb2, user_pb2_grpc
from user_service import domain
from user_service.store import UserStore

NEXT_PAGE_TOKEN = "next-page-token"  # noqa: S105 a metadata key

_ROLES = {
    user_pb2.USER_ROLE_ADMIN: domain.Role.ADMIN,
    user_pb2.USER_ROLE_MEMBER: domain.Role.MEMBER,
}
_PROTO_ROLES = {role: number for number, role in _ROLES.items()}


class UserServicer(user_pb2_grpc.UserServiceServicer):
    """user.v1.UserService over a UserStore; raises domain errors and never aborts a call."""

    def __init__(self, store: UserStore) -> None:
        """Serve the users of `store`."""
        self._store = store

    async def GetUser(
        self, request: user_pb2.GetUserRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> user_pb2.GetUserResponse:
        """Return one user."""
        user = await self._store.get(domain.checked_id(request.id))
        return user_pb2.GetUserResponse(user=_message(user))

    async def CreateUser(
        self, request: user_pb2.CreateUserRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> user_pb2.CreateUserResponse:
        """Store a new user."""
        (user,) = await self._store.create([_creation(request)])
        return user_pb2.CreateUserResponse(user=_message(user))

    async def UpdateUser(
        self, request: user_pb2.UpdateUserRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> user_pb2.UpdateUserResponse:
        """Change the fields that are present."""
        email = request.email if request.HasField("email") else None
        name = request.name if request.HasField("name") else None
        role = _required_role(request.role) if request.HasField("role") else None
        user = await self._store.update(
            domain.checked_id(request.id),
            lambda user: user.changed(_now(), email=email, name=name, role=role),
        )
        return user_pb2.UpdateUserResponse(user=_message(user))

    async def DeleteUser(
        self, request: user_pb2.DeleteUserRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> empty_pb2.Empty:
        """Remove one user."""
        await self._store.delete(domain.checked_id(request.id))
        return empty_pb2.Empty()

    async def ListUsers(
        self, request: user_pb2.ListUsersRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[user_pb2.User]:
        """Stream one page; the token of the next one goes into the trailing metadata."""
        size = domain.checked_page_size(request.page_size)
        page = await self._store.list(size, request.page_token)
        if page.next_token:
            context.set_trailing_metadata(((NEXT_PAGE_TOKEN, page.next_token),))
        for user in page.users:
            yield _message(user)

    async def BatchCreateUsers(
        self,
        request_iterator: AsyncIterable[user_pb2.CreateUserRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> user_pb2.BatchCreateUsersResponse:
        """Store all users of the stream or none."""
        creations: list[domain.Creation] = []
        async for request in request_iterator:
            if len(creations) == domain.MAX_BATCH_SIZE:
                raise InvalidArgument(
                    f"the batch has more than {domain.MAX_BATCH_SIZE} entries; split it"
                )
            try:
                creations.append(_creation(request))
            except DomainError as error:
                raise domain.at(len(creations), error) from None
        domain.check_request_ids(creations)
        messages = [_message(user) for user in await self._store.create(creations)]
        return user_pb2.BatchCreateUsersResponse(users=messages, created_count=len(messages))

    async def SyncUsers(
        self,
        request_iterator: AsyncIterable[user_pb2.SyncUsersRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[user_pb2.SyncUsersResponse]:
        """Create or update one user for each message, in order."""
        position = 0
        async for request in request_iterator:
            try:
                yield await self._sync(request)
            except DomainError as error:
                raise domain.at(position, error) from None
            position += 1

    async def _sync(self, request: user_pb2.SyncUsersRequest) -> user_pb2.SyncUsersResponse:
        if not request.HasField("user"):
            raise InvalidArgument("user: is missing; send the user to create or update")
        wanted = request.user
        user_id = domain.checked_id(wanted.id) if wanted.id else ""
        profile = _profile(wanted)
        before, after = await self._store.upsert(
            user_id,
            profile.email,
            lambda known: domain.User.synced(known, profile, _now(), user_id),
        )
        return user_pb2.SyncUsersResponse(user=_message(after), status=_status(before, after))


def _now() -> datetime:
    return datetime.now(UTC)


def _creation(request: user_pb2.CreateUserRequest) -> domain.Creation:
    request_id = domain.checked_request_id(request.request_id)
    return domain.Creation(domain.User.new(_profile(request), _now()), request_id)


def _profile(message: user_pb2.CreateUserRequest | user_pb2.User) -> domain.Profile:
    return domain.Profile(email=message.email, name=message.name, role=_role(message.role))


def _role(number: user_pb2.UserRole.ValueType) -> domain.Role | None:
    return None if number == user_pb2.USER_ROLE_UNSPECIFIED else _required_role(number)


def _required_role(number: user_pb2.UserRole.ValueType) -> domain.Role:
    role = _ROLES.get(number)
    if role is None:
        allowed = " or ".join(user_pb2.UserRole.Name(known) for known in _ROLES)
        raise InvalidArgument(f"role: {number} is not a role; send {allowed}")
    return role


def _status(before: domain.User | None, after: domain.User) -> user_pb2.SyncStatus.ValueType:
    if before is None:
        return user_pb2.SYNC_STATUS_CREATED
    return user_pb2.SYNC_STATUS_UNCHANGED if before == after else user_pb2.SYNC_STATUS_UPDATED


def _message(user: domain.User) -> user_pb2.User:
    return user_pb2.User(
        id=user.id,
        email=user.email,
        name=user.name,
        role=_PROTO_ROLES[user.role],
        created_at=_timestamp(user.created_at),
        updated_at=_timestamp(user.updated_at),
    )


def _timestamp(time: datetime) -> timestamp_pb2.Timestamp:
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(time)
    return message
