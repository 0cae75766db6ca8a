"""Why the source of a descriptor cannot be used, and when it is read again."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import inf
from typing import Literal

from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError
from grpc_operator.status.observed import ConditionResult

RETRY = 5.0
"""Seconds until a source without a usable descriptor is read again; doubled each time."""
LAST_RETRY = 300.0
"""Longest time between two readings, in seconds."""


class UnavailableError(Exception):
    """The source has no usable descriptor now."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        status: Literal["False", "Unknown"] = "Unknown" if reason == Reason.PROGRESSING else "False"
        self.verdict = ConditionResult(status, reason, message)


@dataclass(frozen=True)
class Failure:
    """Why a source could not be used the last time.

    Attributes:
        stamp: What was read.
        due: When it is read again, on the event loop's clock.
    """

    stamp: Hashable
    error: UnavailableError | InvalidSpecError
    times: int
    due: float


def being_read(source: str) -> UnavailableError:
    """Returns what is reported of a service whose descriptor is read for the first time."""
    if source == "Reflection":
        return UnavailableError(
            Reason.WAITING_FOR_POD, "The descriptor is being read from a ready pod by reflection"
        )
    return UnavailableError(Reason.PROGRESSING, "The descriptor is being read")


def failure_of(
    stamp: tuple[str, ...],
    error: UnavailableError | InvalidSpecError,
    before: Failure | None,
    now: float,
) -> Failure:
    """Returns a failure: the same set is wrong for ever, a server is asked again ever later."""
    times = before.times + 1 if before is not None and before.stamp == stamp else 0
    if isinstance(error, InvalidSpecError) and stamp[1] != "Reflection":
        return Failure(stamp, error, times, inf)
    return Failure(stamp, error, times, now + min(RETRY * 2.0 ** min(times, 16), LAST_RETRY))
