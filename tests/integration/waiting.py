"""Polling with a deadline: the only way these tests wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL = 0.05


def wait_until(predicate: Callable[[], T], timeout: float, what: str) -> T:
    """Returns the first true value of the predicate.

    Args:
        predicate: Looked at every 50 ms; an AssertionError in it means "not yet".
        timeout: Seconds.
        what: Completes "waited ... s until".

    Raises:
        AssertionError: It did not become true in time; tells the last value or assertion.
    """
    deadline = time.monotonic() + timeout
    while True:
        told: object
        try:
            value = predicate()
        except AssertionError as error:
            told = error
        else:
            if value:
                return value
            told = value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s until {what}; at last: {told}")
        time.sleep(_POLL)


def holds_for(predicate: Callable[[], bool], seconds: float, what: str) -> None:
    """Checks that something stays true.

    Raises:
        AssertionError: It became false.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert predicate(), what
        time.sleep(_POLL)
