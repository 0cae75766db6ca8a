"""The saga of an order: what is left to do for it, and what each outcome makes of it. Pure.

An order changes two databases, its own and the product service's, and no transaction spans both.
So the order is stored first, together with what is still to do for it, and every step may be done
again until its outcome is known:

    PENDING --reserved--> CONFIRMED --cancel--> CANCELLED
       |                                        ^  (release the stock)
       +--refused, or unknown for too long--> REJECTED
       +--cancel--------------------------------+

Who works on an order claims it first: a claim has a number and a lease. When the lease is over
somebody else may claim the order, and what the overtaken one has found out no longer counts: the
new one asks again.

A rejected order is released as well: an attempt whose answer got lost may have reserved its stock,
or may even do so later. The product service refuses a reservation that has been released; it
remembers that for days (product.proto), far longer than a request can be under way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from grpc_service_kit.errors import FailedPrecondition
from order_service.domain import Order, Refusal, Status

LEASE = timedelta(seconds=30)
"""How long a claim keeps others away: longer than any step takes."""
GIVE_UP_AFTER = timedelta(minutes=15)
"""How long an order may be pending before it is rejected."""
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=60)

NO_ANSWER = Refusal(
    "NO_ANSWER", "the stock could not be reserved in time; place the order again later"
)


class Step(Enum):
    """What is to do next for an order."""

    RESERVE = "reserve"
    RELEASE = "release"


class Answer(Enum):
    """What is known after a step, unless it was refused."""

    DONE = "done"
    UNKNOWN = "unknown"
    """It may have been done, may be done later, or never."""


Outcome = Answer | Refusal


@dataclass(frozen=True)
class Progress:
    """An order, and what is left to do for it."""

    order: Order
    claim: int
    """How often somebody has set out to work on it: the number of the current claim."""
    due_at: datetime | None
    """When it may be claimed next; None when nothing is left to do."""

    @property
    def step(self) -> Step:
        """What is to do while it is due."""
        return Step.RESERVE if self.order.status is Status.PENDING else Step.RELEASE


def begin(order: Order, now: datetime) -> Progress:
    """Return a new order, claimed by the call that places it."""
    return Progress(order, 1, now + LEASE)


def claim(progress: Progress, now: datetime) -> Progress:
    """Return the order as its claimant stores it."""
    return replace(progress, claim=progress.claim + 1, due_at=now + LEASE)


def cancel(progress: Progress, now: datetime) -> Progress:
    """Return the cancelled order, claimed by the call that cancels.

    Returns the same one when it was cancelled before; raises FailedPrecondition for a rejected one.
    """
    order = progress.order
    if order.status is Status.CANCELLED:
        return progress
    if order.status is Status.REJECTED:
        raise FailedPrecondition(
            f"id: the order {order.id} was rejected; there is nothing to cancel",
            reason="ORDER_REJECTED",
        )
    return claim(replace(progress, order=_changed(order, Status.CANCELLED, now)), now)


def settle(current: Progress, done: Progress, outcome: Outcome, now: datetime) -> Progress:
    """Return what the outcome of a step makes of an order.

    Args:
        current: The order as it is stored now.
        done: The order as it was when the step began, with the claim it was done under.
        outcome: What the step has come to.
        now: The time.

    """
    if current.claim != done.claim:
        return current
    if done.step is Step.RELEASE:
        # Stock must not stay reserved: whatever else comes back, it is released again.
        released = outcome is Answer.DONE
        return replace(current, due_at=None) if released else _unknown(current, now)
    if isinstance(outcome, Refusal):
        return _rejected(current, outcome, now)
    return _confirmed(current, now) if outcome is Answer.DONE else _unknown(current, now)


def pause(claims: int) -> timedelta:
    """Return how long to wait after so many claims without an answer."""
    doublings = min(claims - 1, 16)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _confirmed(current: Progress, now: datetime) -> Progress:
    return replace(current, order=_changed(current.order, Status.CONFIRMED, now), due_at=None)


def _unknown(current: Progress, now: datetime) -> Progress:
    order = current.order
    if order.status is Status.PENDING and now - order.created_at >= GIVE_UP_AFTER:
        return _rejected(current, NO_ANSWER, now)
    return replace(current, due_at=now + pause(current.claim))


def _rejected(current: Progress, refusal: Refusal, now: datetime) -> Progress:
    order = replace(_changed(current.order, Status.REJECTED, now), refusal=refusal)
    return replace(current, order=order, due_at=now)


def _changed(order: Order, status: Status, now: datetime) -> Order:
    return replace(order, status=status, updated_at=now)
