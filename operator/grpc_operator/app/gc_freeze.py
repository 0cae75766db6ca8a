"""Garbage collection: what stays is set aside, so that looking for garbage does not stop the loop.

CPython collects its oldest generation as a whole, now and then, while the event loop stands still:
0.1 s and more with nothing but the modules of an operator. What a process knows stays for long, and
most of what ends is freed by its reference count; only cycles need the collector. So what there is
is frozen (https://docs.python.org/3/library/gc.html#gc.freeze), and looked through once in a while.
"""

import asyncio
import gc

PERIOD = 600.0
"""Seconds between two looks through everything: garbage with cycles stays that long at most."""

_YOUNG = 5_000
"""Objects after which the youngest generation is collected: more than one change makes."""


def set_aside() -> None:
    """Collects all garbage, and leaves what remains out of the collections that follow."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_aside() -> None:
    """Sets aside what there is, now and every ``PERIOD`` seconds, until cancelled."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    while True:
        set_aside()
        await asyncio.sleep(PERIOD)
