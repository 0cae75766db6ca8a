"""Waiting for what happens at its own pace."""

import time
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds after which something that should have happened counts as a failure."""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Poll a condition; raise AssertionError when it does not hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            raise AssertionError("the condition did not become true in time")
        time.sleep(0.02)
