"""The saga: what each outcome makes of an order, and that stock and orders always add up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_service_kit.errors import FailedPrecondition
from order_service import saga
from order_service.domain import Item, Order, Refusal, Status
from order_service.saga import Answer, Outcome, Progress, Step

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(seconds=2)
ID = "123e4567-e89b-42d3-a456-426614174000"
SOLD_OUT = Refusal("INSUFFICIENT_STOCK", "there are only 2")
RELEASED = Refusal("RESERVATION_RELEASED", "it was released")


def begun() -> Progress:
    return saga.begin(Order.new(ID, [Item(ID, 1)], NOW), NOW)


def test_a_new_order_belongs_to_the_call_that_places_it() -> None:
    assert begun().order.status is Status.PENDING
    assert begun().step is Step.RESERVE
    assert begun().due_at == NOW + saga.LEASE


def test_a_reserved_order_is_confirmed_and_done() -> None:
    after = saga.settle(begun(), begun(), Answer.DONE, LATER)

    assert (after.order.status, after.order.updated_at) == (Status.CONFIRMED, LATER)
    assert after.due_at is None


def test_a_refused_order_is_rejected_with_the_reason_and_released_at_once() -> None:
    after = saga.settle(begun(), begun(), SOLD_OUT, LATER)

    assert (after.order.status, after.order.refusal) == (Status.REJECTED, SOLD_OUT)
    assert (after.step, after.due_at) == (Step.RELEASE, LATER)
    done = saga.claim(after, LATER)
    assert saga.settle(done, done, Answer.DONE, LATER).due_at is None


def test_an_order_without_an_answer_is_tried_again_after_longer_and_longer_pauses() -> None:
    progress, pauses = begun(), []
    for _ in range(9):
        progress = saga.settle(progress, progress, Answer.UNKNOWN, LATER)
        assert progress.order == begun().order or progress.order.status is Status.PENDING
        assert progress.due_at is not None
        pauses.append((progress.due_at - LATER).total_seconds())
        progress = saga.claim(progress, LATER)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_order_that_is_pending_for_too_long_is_rejected_and_released() -> None:
    end = NOW + saga.GIVE_UP_AFTER
    before = saga.settle(begun(), begun(), Answer.UNKNOWN, end - timedelta(microseconds=1))
    after = saga.settle(begun(), begun(), Answer.UNKNOWN, end)

    assert before.order.status is Status.PENDING
    assert (after.order.status, after.order.refusal) == (Status.REJECTED, saga.NO_ANSWER)
    assert (after.step, after.due_at) == (Step.RELEASE, end)


@pytest.mark.parametrize("outcome", [Answer.UNKNOWN, SOLD_OUT])
def test_a_release_is_repeated_until_it_is_done_however_long_it_takes(outcome: Outcome) -> None:
    cancelled = saga.cancel(begun(), NOW)
    after = saga.settle(cancelled, cancelled, outcome, NOW + 2 * saga.GIVE_UP_AFTER)

    assert after.order == cancelled.order
    assert after.due_at is not None
    assert after.due_at > NOW + 2 * saga.GIVE_UP_AFTER


@pytest.mark.parametrize("status", [Status.PENDING, Status.CONFIRMED])
def test_a_cancelled_order_is_released_by_the_call_that_cancels(status: Status) -> None:
    known = replace(begun(), order=replace(begun().order, status=status))
    after = saga.cancel(known, LATER)

    assert (after.order.status, after.order.updated_at) == (Status.CANCELLED, LATER)
    assert (after.step, after.due_at) == (Step.RELEASE, LATER + saga.LEASE)
    assert saga.cancel(after, LATER) is after


def test_a_rejected_order_cannot_be_cancelled() -> None:
    rejected = saga.settle(begun(), begun(), SOLD_OUT, LATER)
    with pytest.raises(FailedPrecondition, match="was rejected; there is nothing to cancel"):
        saga.cancel(rejected, LATER)


def test_what_an_overtaken_worker_has_found_out_does_not_count() -> None:
    overtaken, cancelled = begun(), saga.cancel(begun(), NOW)
    for outcome in (Answer.DONE, Answer.UNKNOWN, SOLD_OUT):
        assert saga.settle(cancelled, overtaken, outcome, LATER) is cancelled


@dataclass
class Products:
    """The product service's promise: ids that were released are not reserved any more."""

    held: bool = False
    released: bool = False
    stocked: bool = True

    def do(self, step: Step) -> Outcome:
        """Apply a request."""
        if step is Step.RELEASE:
            self.held, self.released = False, True
            return Answer.DONE
        if self.released:
            return RELEASED
        self.held = self.held or self.stocked
        return Answer.DONE if self.held else SOLD_OUT


@dataclass
class World:
    """One order, its product service, and any number of workers that may be slow or die."""

    stored: Progress = field(default_factory=begun)
    products: Products = field(default_factory=Products)
    now: datetime = NOW
    requests: list[Progress] = field(default_factory=list)
    """Sent, and not yet applied."""
    answers: list[tuple[Progress, Outcome]] = field(default_factory=list)
    """Received, and not yet written down."""
    answered: set[int] = field(default_factory=set)
    """Claims whose worker has its one answer."""

    def __post_init__(self) -> None:
        self.requests.append(self.stored)

    def claim(self) -> bool:
        """Send a request for the order, if it is due."""
        due = self.stored.due_at is not None and self.stored.due_at <= self.now
        if due:
            self.stored = saga.claim(self.stored, self.now)
            self.requests.append(self.stored)
        return due

    def cancel(self) -> None:
        """Cancel it, and send the request that follows."""
        if self.stored.order.status in {Status.PENDING, Status.CONFIRMED}:
            self.stored = saga.cancel(self.stored, self.now)
            self.requests.append(self.stored)

    def carry_out(self, number: int, *, answer: bool) -> None:
        """The request may stay in the network, to be applied once more later."""
        if self.requests:
            done = self.requests[number % len(self.requests)]
            outcome = self.products.do(done.step)
            if done.claim not in self.answered:
                self.answers.append((done, outcome if answer else Answer.UNKNOWN))
                self.answered.add(done.claim)

    def write_down(self, number: int) -> None:
        """Settle with one of the answers."""
        if self.answers:
            done, outcome = self.answers.pop(number % len(self.answers))
            self.stored = saga.settle(self.stored, done, outcome, self.now)

    def lose_answers(self) -> None:
        """Kill every worker."""
        self.answers.clear()


NUMBERS = st.integers(0, 7)
EVENTS = st.one_of(
    st.just(("claim",)),
    st.just(("cancel",)),
    st.tuples(st.just("carry_out"), NUMBERS, st.booleans()),
    st.tuples(st.just("write_down"), NUMBERS),
    st.just(("lose_answers",)),
    st.tuples(st.just("wait"), st.sampled_from([1, 10, 60, 600])),
    st.tuples(st.just("stock"), st.booleans()),
)


def happen(world: World, event: tuple[object, ...]) -> None:
    match event:
        case ("claim",):
            world.claim()
        case ("cancel",):
            world.cancel()
        case ("carry_out", int(number), bool(answer)):
            world.carry_out(number, answer=answer)
        case ("write_down", int(number)):
            world.write_down(number)
        case ("lose_answers",):
            world.lose_answers()
        case ("wait", int(seconds)):
            world.now += timedelta(seconds=seconds)
        case ("stock", bool(stocked)):
            world.products.stocked = stocked


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=40))
def test_stock_and_order_add_up_whatever_happens(events: list[tuple[object, ...]]) -> None:
    """Workers overtake each other, die at any step, and requests arrive late and more than once."""
    world = World()
    for event in events:
        happen(world, event)

    for _ in range(10):  # In the end every answer arrives, and whatever is due is done.
        world.now += saga.LEASE + saga.LONGEST_PAUSE
        while world.answers:
            world.write_down(0)
        if world.claim():
            world.carry_out(-1, answer=True)
    world.products.stocked = True
    for number in range(len(world.requests)):  # Old requests come out of the network.
        world.carry_out(number, answer=False)

    assert world.stored.due_at is None
    assert world.stored.order.status is not Status.PENDING
    assert world.products.held is (world.stored.order.status is Status.CONFIRMED)
