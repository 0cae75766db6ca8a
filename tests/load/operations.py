"""The operations a load may call: their requests, and whether an answer is right."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from tests.load.plan import Load
from tests.load.schema import Echo


@dataclass(frozen=True)
class Unary:
    """A unary method.

    Attributes:
        path: Its gRPC path.
        request: The request of a call by its number.
        reply: Class of the answer.
        right: Whether an answer is the one to a call.
        post: REST path of the same method with the request as JSON body.
        get: REST path with the call's number at its end, if there is one.
    """

    path: str
    request: Callable[[int], Message]
    reply: type[Message]
    right: Callable[[int, Any], bool]
    post: str
    get: str | None = None


@dataclass(frozen=True)
class Stream:
    """A streaming method.

    Attributes:
        path: Its gRPC path.
        requests: The request messages of a call by its number, in time.
        reply: Class of the answers.
        expected: How many answers a call must get.
        right: Whether an answer is the one for a position in the stream of a call.
        get: REST path of a server stream, if it has one.
    """

    path: str
    requests: Callable[[int], AsyncIterator[Message]]
    reply: type[Message]
    expected: int
    right: Callable[[int, int, Any], bool]
    get: str | None = None


def operation(load: Load) -> Unary | Stream:
    """Returns what a load calls."""
    if load.operation in ("create-user", "sync-users"):
        return _users(load)
    return _echo(load)


def _echo(load: Load) -> Unary | Stream:
    echo = Echo(load.package)
    classes: dict[str, Any] = dict(echo.messages())
    if load.operation == "say":
        delay = int(load.delay * 1000)
        return Unary(
            path=f"/{echo.service}/Say",
            request=lambda call: classes["SayRequest"](number=call, delay_ms=delay),
            reply=classes["SayReply"],
            right=lambda call, reply: (
                bool(reply.number == call) and reply.instance.startswith(load.instance)
            ),
            post=f"{echo.root}/say",
            get=f"{echo.root}/say/{{}}?delayMs={delay}",
        )
    if load.operation == "count":
        interval = int(load.interval * 1000)
        order = classes["CountRequest"](messages=load.messages, interval_ms=interval)
        get = f"{echo.root}/count?messages={load.messages}&intervalMs={interval}"
        stream = _stream(load, f"/{echo.service}/Count", classes["CountReply"], _once(order))
        return replace(stream, get=get)

    async def chat(_call: int) -> AsyncIterator[Message]:
        async for position in _paced(load):
            yield classes["ChatMessage"](position=position)

    return _stream(load, f"/{echo.service}/Chat", classes["ChatMessage"], chat)


async def _paced(load: Load) -> AsyncIterator[int]:
    """Counts to the length of a stream in its time; what is late is made up for."""
    began = time.monotonic()
    for position in range(load.messages):
        await asyncio.sleep(began + position * load.interval - time.monotonic())
        yield position


def _once(message: Message) -> Callable[[int], AsyncIterator[Message]]:
    async def requests(_call: int) -> AsyncIterator[Message]:
        yield message

    return requests


def _stream(
    load: Load,
    path: str,
    reply: type[Message],
    requests: Callable[[int], AsyncIterator[Message]],
) -> Stream:
    return Stream(
        path=path,
        requests=requests,
        reply=reply,
        expected=load.messages,
        right=lambda _call, position, reply: bool(reply.position == position),
    )


def _users(load: Load) -> Unary | Stream:
    """Every user is new, so that a call that is delivered twice fails as well."""
    from user.v1 import user_pb2  # noqa: PLC0415 - only where the user service is called

    run = uuid.uuid4().hex[:12]

    def email(call: int, position: int = 0) -> str:
        return f"{run}-{call}-{position}@example.com"

    if load.operation == "create-user":
        return Unary(
            path="/user.v1.UserService/CreateUser",
            request=lambda call: user_pb2.CreateUserRequest(email=email(call), name="load"),
            reply=user_pb2.CreateUserResponse,
            right=lambda call, reply: bool(reply.user.email == email(call)),
            post="/v1/users",
        )

    async def sync(call: int) -> AsyncIterator[Message]:
        async for position in _paced(load):
            user = user_pb2.User(email=email(call, position), name="load")
            yield user_pb2.SyncUsersRequest(user=user)

    return Stream(
        path="/user.v1.UserService/SyncUsers",
        requests=sync,
        reply=user_pb2.SyncUsersResponse,
        expected=load.messages,
        right=lambda call, position, reply: bool(reply.user.email == email(call, position)),
    )
