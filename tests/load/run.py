"""Runs a plan: every load at the same time, each with its workers and its pace."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.load.callers import caller
from tests.load.operations import operation
from tests.load.plan import Load, Plan
from tests.load.protocols import Caller
from tests.load.tally import Outcome, Tally, clock


@dataclass(frozen=True)
class Clock:
    """What time it is, in seconds, and how to wait."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


_REAL = Clock(time.monotonic, asyncio.sleep)


class Turns:
    """Hands out call numbers at the load's pace, until the load has had its share.

    Args:
        load: The load.
        hold: Go on after its calls until `stop` is set.
        stop: No more turns.
        clock: What time it is and how time passes.
    """

    def __init__(
        self, load: Load, *, hold: bool, stop: asyncio.Event, clock: Clock = _REAL
    ) -> None:
        self._calls = None if hold else load.calls
        self._period = 1 / load.rate if load.rate else 0.0
        self._stop = stop
        self._next = 0
        self._clock = clock
        self._due = clock.now()

    async def take(self) -> int | None:
        """Waits for the next turn and returns its number; ``None`` when there is none."""
        number, self._next = self._next, self._next + 1
        self._due = max(self._due + self._period, self._clock.now() - 1)
        pause = self._due - self._clock.now()
        if pause > 0:
            await self._clock.sleep(pause)
        over = self._stop.is_set() or (self._calls is not None and number >= self._calls)
        return None if over else number


async def run(plan: Plan, stop: asyncio.Event) -> list[dict[str, Any]]:
    """Runs a plan until its calls are made, `stop` is set, or its time is over.

    With ``hold``, a load that has not had its calls when `stop` is set goes on to that number.
    """
    tallies = [Tally(load.name) for load in plan.loads]
    over = asyncio.Event()
    pairs = list(zip(plan.loads, tallies, strict=True))
    watch = [
        asyncio.create_task(_stop_when_due(plan, pairs, stop, over)),
        asyncio.create_task(_progress(tallies, plan.progress)),
    ]
    try:
        await asyncio.gather(*(_run(plan, load, tally, over) for load, tally in pairs))
    finally:
        for task in watch:
            task.cancel()
    _show(tallies)
    return [tally.result() for tally in tallies]


async def _run(plan: Plan, load: Load, tally: Tally, over: asyncio.Event) -> None:
    calls = caller(plan.target, load, operation(load))
    turns = Turns(load, hold=plan.hold, stop=over)
    try:
        await asyncio.gather(*(_work(load, calls, turns, tally) for _ in range(load.workers)))
    finally:
        await calls.close()


async def _work(load: Load, calls: Caller, turns: Turns, tally: Tally) -> None:
    while (number := await turns.take()) is not None:
        began = time.time()
        try:
            outcome = await calls.call(number)
        except Exception as error:  # noqa: BLE001 - whatever a call raises is a failed call
            outcome = Outcome(type(error).__name__, str(error))
        tally.add(number, began, time.time(), outcome)
        if load.streaming:
            tally.messages += load.messages - outcome.lost


async def _stop_when_due(
    plan: Plan, pairs: list[tuple[Load, Tally]], stop: asyncio.Event, over: asyncio.Event
) -> None:
    end = time.monotonic() + plan.seconds
    while time.monotonic() < end:
        enough = all(tally.calls >= load.calls for load, tally in pairs)
        if stop.is_set() and (enough or not plan.hold):
            break
        await asyncio.sleep(0.05)
    over.set()


async def _progress(tallies: list[Tally], seconds: float) -> None:
    while True:
        _show(tallies)
        await asyncio.sleep(seconds)


def _show(tallies: list[Tally]) -> None:
    summary = "; ".join(f"{t.name}: {t.calls} calls, {t.failed} failed" for t in tallies)
    print(f"{clock(time.time())} {summary}", file=sys.stderr, flush=True)  # noqa: T201 - a command-line tool


def read_plan(text: str) -> Plan:
    """Reads a plan.

    Raises:
        pydantic.ValidationError: It has wrong values; the message names each.
    """
    return Plan.model_validate(json.loads(text))
