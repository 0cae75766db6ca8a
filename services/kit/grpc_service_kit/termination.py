"""How a process ends at a signal: at once while it starts, within its drain when it serves."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)

_START_SECONDS = 2.0
"""What a process that is starting gets to close its connections."""
_LEAST_SECONDS = 1.0
_REPORT_SECONDS = 0.2

logger = logging.getLogger(__name__)

_bounded = False
"""Whether this process ends when what `run` was given has ended, so that it may be ended."""


def exit_code(number: int) -> int:
    """Return the exit code of a process that a signal has ended, as shells have it.

    It is not 0: a migration that was interrupted has not succeeded.
    """
    return 128 + number


async def until_signal(main: Coroutine[None, None, None], signalled: list[int]) -> None:
    """Await `main`; at a signal, until it has a handler of its own, cancel it.

    Args:
        main: What the process does.
        signalled: Gets the number of the signal.
    """
    global _bounded  # noqa: PLW0603 a process has one end
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 a coroutine that runs has one

    # Not add_signal_handler: this one also runs while something blocks the event loop.
    def end(number: int, _frame: FrameType | None) -> None:
        if signalled:
            os._exit(exit_code(number))
        signalled.append(number)
        _exit_after(_START_SECONDS, exit_code(number), report=None)
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    _bounded = True
    try:
        await main
    finally:
        _bounded = False
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_within(seconds: float) -> None:
    """End the process after this time, whatever is still running then.

    Does nothing in a process that `run` does not end, such as one of tests.
    """
    seconds = max(seconds, _LEAST_SECONDS)
    if _bounded:
        _exit_after(seconds, 1, report=lambda: _log_what_runs(seconds))


def _exit_after(seconds: float, code: int, report: Callable[[], None] | None) -> None:
    def exit_then() -> None:
        time.sleep(seconds)
        if report is not None:
            # In a thread of its own: who reads the log may be what the process is waiting for.
            reporting = threading.Thread(target=report, daemon=True)
            reporting.start()
            reporting.join(_REPORT_SECONDS)
        os._exit(code)  # Neither threads nor what is registered with atexit can prevent it.

    threading.Thread(target=exit_then, daemon=True).start()


def _log_what_runs(seconds: float) -> None:
    names = [thread.name for thread in threading.enumerate() if not thread.daemon]
    logger.error("still running %gs after the signal; ending now: %s", seconds, ", ".join(names))
