"""Attacks by waiting: servers that do not answer, many of them, of one namespace."""

import asyncio

from grpc_operator.engine.turns import Turns, in_turns
from grpc_operator.resources import service_key


class Held:
    """Tasks that hold a turn until they are let go."""

    def __init__(self, total: int, of_namespace: int) -> None:
        self.begun: list[str] = []
        self._turns = Turns(total, of_namespace)
        self._end = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self, *namespaces: str) -> None:
        """Begins a task of each, and lets them run."""
        self.tasks += [asyncio.create_task(self._hold(each)) for each in namespaces]
        await self.settle()

    async def settle(self) -> None:
        """Lets everything run that can."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def _hold(self, namespace: str) -> None:
        async with self._turns.of(namespace):
            self.begun.append(namespace)
            await self._end.wait()

    async def let_go(self) -> None:
        """Ends those that hold a turn, and all after them."""
        self._end.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_a_namespace_with_hanging_servers_does_not_hold_up_another_one() -> None:
    """120 of them wait for each other; the neighbour does not."""
    held = Held(8, 2)
    await held.begin(*["attacker"] * 120)
    assert held.begun == ["attacker"] * 2
    await held.begin("neighbour")

    assert held.begun[2:] == ["neighbour"]
    await held.let_go()
    assert len(held.begun) == 121


async def test_namespaces_take_turns() -> None:
    """With all turns held, the next ones go to one of each."""
    held = Held(1, 1)
    await held.begin("a", "a", "a", "b", "b", "c")
    await held.let_go()

    assert held.begun == ["a", "a", "b", "c", "a", "b"]


async def test_no_more_than_the_total_at_a_time() -> None:
    """However many namespaces an attacker has."""
    held = Held(8, 2)
    await held.begin(*(f"n{number}" for number in range(50)))

    assert len(held.begun) == 8
    await held.let_go()


async def test_who_is_cancelled_gives_its_turn_back() -> None:
    """While it waits, while it holds one, and in the step in which it gets one."""
    held = Held(1, 1)
    await held.begin("a", "b", "c")
    held.tasks[1].cancel()
    await held.settle()
    held.tasks[0].cancel()
    await held.settle()
    assert held.begun == ["a", "c"]
    await held.begin("d", "e")
    held.tasks[2].cancel()
    held.tasks[3].cancel()
    await held.settle()

    assert held.begun == ["a", "c", "e"]
    await held.let_go()


def test_one_of_each_namespace_comes_first() -> None:
    """However many there are of another one."""
    keys = [service_key("attacker", f"a{number}") for number in range(100)]
    mine = [service_key("mine", "m0"), service_key("mine", "m1")]

    assert in_turns([*keys, *mine])[:5] == [keys[0], mine[0], keys[1], mine[1], keys[10]]
    assert in_turns([*keys, *mine], after="attacker")[:2] == [mine[0], keys[0]]
    assert in_turns([*keys, *mine], after="mine")[:2] == [keys[0], mine[0]]
