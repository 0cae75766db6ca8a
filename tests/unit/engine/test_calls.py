"""Calls beside the workers: the result comes back as an event, and for what was asked."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from grpc_operator.engine.calls import Calls
from grpc_operator.resources import Key, service_key

USERS = service_key("shop", "users")


def answering(text: str) -> Callable[[], Awaitable[str]]:
    """Returns a call with this answer."""

    async def answer() -> str:
        return text

    return answer


async def hangs() -> str:
    """Never answers."""
    await asyncio.Event().wait()
    return ""


async def settle() -> None:
    """Lets everything run that can."""
    for _ in range(6):
        await asyncio.sleep(0)


async def test_a_result_is_handed_out_once_after_an_event() -> None:
    """The next request makes the next call."""
    enqueued: list[Key] = []
    calls = Calls[str](enqueued.append)

    assert calls.result(USERS, 1, answering("a")) is None
    assert enqueued == []
    await settle()
    assert enqueued == [USERS]
    assert calls.result(USERS, 1, answering("b")) == "a"
    assert calls.result(USERS, 1, answering("b")) is None


async def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    """It ends as a condition of this service."""

    async def fails() -> str:
        raise ValueError("wrong")

    calls = Calls[str](list[Key]().append)
    calls.result(USERS, 1, fails)
    await settle()

    with pytest.raises(ValueError, match="wrong"):
        calls.result(USERS, 1, fails)


async def test_what_is_asked_for_now_replaces_what_hangs() -> None:
    """A new pod is not held up by the call of the one before."""
    enqueued: list[Key] = []
    calls = Calls[str](enqueued.append)
    calls.result(USERS, "old", hangs)
    await settle()
    calls.result(USERS, "new", answering("a"))
    await settle()

    assert enqueued == [USERS]
    assert calls.result(USERS, "new", hangs) == "a"


async def test_a_service_that_is_gone_is_called_no_more() -> None:
    """Neither is anybody enqueued for it."""
    enqueued: list[Key] = []
    calls = Calls[str](enqueued.append)
    calls.result(USERS, 1, hangs)
    await settle()
    calls.forget(USERS)
    await settle()

    assert enqueued == []
    assert len(asyncio.all_tasks()) == 1
