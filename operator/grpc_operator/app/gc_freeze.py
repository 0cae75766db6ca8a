"""Keeps long-lived objects out of the garbage collector's runs, which stop the event loop.

CPython collects its oldest generation as a whole while the event loop stands still: 0.1 s and more
with nothing but the modules of an operator. Most objects here live as long as the process, and most
of the others are freed by their reference count; only cycles need the collector. So all objects are
frozen (https://docs.python.org/3/library/gc.html#gc.freeze), and collected once per period.
"""

import asyncio
import gc

PERIOD = 600.0
"""Seconds between two full collections; garbage with cycles lives that long at most."""

_YOUNG = 5_000
"""Objects after which the youngest generation is collected: more than one change allocates."""


def freeze() -> None:
    """Collects all garbage, and excludes the remaining objects from the next collections."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def freeze_periodically() -> None:
    """Freezes all objects, now and every ``PERIOD`` seconds, until cancelled."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    while True:
        freeze()
        await asyncio.sleep(PERIOD)
