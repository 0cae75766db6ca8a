"""What keeps an owner from being applied: reported where it lasts, and always tried again."""

from collections.abc import Sequence

import pytest

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.errors import (
    AdmissionDeniedError,
    ClusterError,
    ConflictError,
    ForbiddenError,
    InvalidSpecError,
    NotFoundError,
    Problem,
)
from grpc_operator.reconcile.attempts import Attempts
from grpc_operator.reconcile.blocking_errors import BLOCKED_RETRY, BlockingErrors
from grpc_operator.reconcile.children import ChildError
from grpc_operator.reconcile.rejections import ChildFailedError
from grpc_operator.resources import Manifest, service_key

KEY = service_key("shop", "users")
DEPLOYMENT: Manifest = {"kind": "Deployment", "metadata": {"name": "users"}}

REASONS = [
    (AdmissionDeniedError("denied", status=422), Reason.ADMISSION_DENIED),
    (ForbiddenError("exceeded quota", status=403), Reason.FORBIDDEN),
    (NotFoundError("no namespace", status=404), Reason.NOT_FOUND),
    (ClusterError("webhook down", status=500), Reason.WRITE_FAILED),
    (ClusterError("slow down", status=429), Reason.WRITE_FAILED),
    (ConflictError("modified", status=409), Reason.WRITE_FAILED),
]


@pytest.mark.parametrize(("error", "reason"), REASONS, ids=[str(each) for each, _ in REASONS])
def test_each_refusal_has_its_reason_and_names_the_child(
    error: ClusterError, reason: Reason
) -> None:
    """The words of the API server stand in quotation marks, with the HTTP status."""
    blocking = BlockingErrors.of([ChildFailedError(DEPLOYMENT, error)])
    assert blocking.waiting is not None
    assert blocking.waiting.reason == reason
    expected = f'Deployment users (HTTP {error.status}): "{error.words}"'
    assert blocking.waiting.message.endswith(expected)
    assert (blocking.failed is error) == (reason == Reason.WRITE_FAILED)


def test_what_lasts_is_tried_again_in_a_while_and_not_by_all_at_once() -> None:
    """A policy, a quota and rights change without an event."""
    blocking = BlockingErrors.of([ChildFailedError(DEPLOYMENT, ForbiddenError("no", status=403))])
    waits = {blocking.requeue_after for _ in range(20)}
    assert len(waits) > 1
    assert all(wait and abs(wait - BLOCKED_RETRY) <= 3.01 for wait in waits)


def test_quoted_words_can_neither_mislead_nor_fill_the_status() -> None:
    """A webhook may say anything, and so may a value that it quotes."""
    words = 'no"\n\x1b[2JReady: \u202eyes' + "x" * 10_000
    error = ChildFailedError(DEPLOYMENT, AdmissionDeniedError(words, status=403), ["kubectl-edit"])
    message = str(error)
    assert message.startswith("Deployment users (HTTP 403): \"no' [2JReady: yes")
    assert message.endswith('x"; kubectl-edit also changed this Deployment')
    assert len(message) < limits.QUOTED_ERROR.value + 100


def test_many_children_are_told_briefly() -> None:
    """The first ones with what was said, the others by name."""
    errors = [
        ChildFailedError({"kind": "ConfigMap", "metadata": {"name": f"c{n}"}}, ClusterError("busy"))
        for n in range(7)
    ]
    waiting = BlockingErrors.of(errors).waiting
    assert waiting is not None
    assert waiting.message.count("busy") == 4
    assert waiting.message.endswith("; and likewise ConfigMap c4, ConfigMap c5, ConfigMap c6")


class World:
    """Attempts, with a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.attempts = Attempts(lambda: self.now)

    async def attempt(self, *errors: ChildError, seconds: float = 0.0) -> BlockingErrors:
        """Makes one that takes a while."""

        async def step() -> Sequence[ChildError]:
            self.now += seconds
            return errors

        return await self.attempts.make(KEY, step())


FAILURE = ChildFailedError(DEPLOYMENT, ClusterError("busy", status=503))


async def test_a_failure_that_the_next_attempt_ends_is_not_reported() -> None:
    """It is retried first; the second one in a row is."""
    world = World()
    for _ in range(2):
        with pytest.raises(ClusterError, match="busy"):
            await world.attempt(FAILURE)
        assert (await world.attempt()).waiting is None
    with pytest.raises(ClusterError, match="busy"):
        await world.attempt(FAILURE)
    assert (await world.attempt(FAILURE)).waiting is not None
    assert (await world.attempt(FAILURE)).failed is not None


async def test_a_failure_that_takes_long_is_reported_at_once() -> None:
    """The next attempt may take as long."""
    assert (await World().attempt(FAILURE, seconds=10)).waiting is not None


async def test_what_is_wrong_with_the_spec_is_reported_at_once() -> None:
    """And whatever lasts."""
    denied = ChildFailedError(DEPLOYMENT, AdmissionDeniedError("no", status=403))
    invalid = InvalidSpecError([Problem("spec", "no")])
    blocking = await World().attempt(denied, invalid)
    assert blocking.failed is None
    assert blocking.invalid is not None
