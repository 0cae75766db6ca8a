"""The queue keeps client-go's workqueue contract."""

import asyncio

import pytest

from grpc_operator.engine.queue import FIRST_RETRY, LAST_RETRY, Queue
from tests.waiting import HANG


def _steady() -> Queue[str]:
    return Queue(jitter=lambda: 1.0)


async def test_a_key_waits_only_once() -> None:
    """Adding a waiting key again changes nothing."""
    queue = _steady()
    queue.add("a")
    queue.add("a")
    queue.add("b")

    assert queue.depth == 2
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert queue.depth == 0


async def test_what_somebody_waits_for_goes_first() -> None:
    """Whether it waits already, is worked on or is new; a group goes no earlier for it."""
    queue = Queue[str](group=lambda key: key[0])
    for key in ("a1", "a2", "a3", "b1"):
        queue.add(key)
    assert await queue.get() == "a1"
    queue.add("a1", first=True)
    queue.add("a3", first=True)
    queue.add("b2", first=True)
    queue.done("a1")

    assert queue.depth == 5
    assert [await queue.get() for _ in range(5)] == ["b2", "a1", "b1", "a3", "a2"]
    queue.done("a1")
    queue.add("a4")
    queue.add("a1")
    assert [await queue.get(), await queue.get()] == ["a4", "a1"]


async def test_a_key_is_never_with_two_workers() -> None:
    """A key that is added while it is worked on comes back after it is done, once."""
    queue = _steady()
    queue.add("a")
    await queue.get()
    queue.add("a")
    queue.add("a")
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    assert not second.done()

    queue.done("a")

    assert await second == "a"
    assert queue.depth == 0


async def test_a_finished_key_is_not_handed_out_again() -> None:
    """Without another add, done is the end."""
    queue = _steady()
    queue.add("a")
    queue.done(await queue.get())

    assert queue.depth == 0


async def test_the_earliest_timer_wins() -> None:
    """A later timer does not put off an earlier one."""
    queue = _steady()
    queue.add_after("a", 0.01)
    queue.add_after("a", 1000)

    assert await asyncio.wait_for(queue.get(), HANG) == "a"


async def test_an_earlier_timer_replaces_a_later_one() -> None:
    """The key is handed out at the earlier time, and only once."""
    queue = _steady()
    queue.add_after("a", 1000)
    queue.add_after("a", 0.01)

    assert await asyncio.wait_for(queue.get(), HANG) == "a"
    queue.done("a")
    assert queue.depth == 0


async def test_retries_back_off_to_a_limit() -> None:
    """Each failure doubles the delay, up to the longest; forgetting starts over."""
    queue = _steady()

    delays = [queue.retry("a") for _ in range(20)]

    assert delays[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert delays[-1] == LAST_RETRY
    queue.forget("a")
    assert queue.retry("a") == FIRST_RETRY


@pytest.mark.parametrize(("delay", "expected"), [(0.0, FIRST_RETRY), (7.0, 7.0)])
async def test_the_server_may_set_a_longer_delay(delay: float, expected: float) -> None:
    """Retry-After is a lower bound."""
    assert _steady().retry("a", at_least=delay) == expected


async def test_many_keys_of_one_namespace_do_not_hold_up_another_one() -> None:
    """A hundred objects that are retried all the time, and a neighbour's change."""
    queue: Queue[str] = Queue(group=lambda key: key[0], jitter=lambda: 1.0)
    for number in range(100):
        queue.add(f"a{number}")
    queue.add("b0")
    queue.add("b1")
    order = [await queue.get() for _ in range(5)]

    assert order == ["a0", "b0", "a1", "b1", "a2"]
    assert queue.depth == 97
