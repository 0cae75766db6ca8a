"""What keeps an owner from being applied: its spec, or something outside of it."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass

from grpc_operator.api.reasons import Reason
from grpc_operator.errors import ClusterError, ForbiddenError, InvalidSpecError, NotFoundError
from grpc_operator.reconcile.children import ChildError, DeletionPendingError
from grpc_operator.status.observed import Cause

BLOCKED_RETRY = 15.0
"""Seconds until the next attempt when something outside the spec has to change first."""

_MAY_END_BY_ITSELF = {Reason.NAME_CONFLICT, Reason.REJECTED}
"""Reasons that no watch reports the end of: an object of others, a policy, a quota, a webhook."""


@dataclass(frozen=True)
class BlockingErrors:
    """Why an owner could not be applied as a whole; empty when it could.

    Attributes:
        invalid: What its author must change.
        waiting: What else has to happen first.
        failed: A failure of the API server, after which the reconcile is retried.
    """

    invalid: InvalidSpecError | None = None
    waiting: Cause | None = None
    failed: ClusterError | None = None

    @classmethod
    def of(cls, errors: Iterable[ChildError]) -> "BlockingErrors":
        """Returns what the errors of single children amount to."""
        invalid = [error for error in errors if isinstance(error, InvalidSpecError)]
        waiting = [found for error in errors if (found := _waiting(error)) is not None]
        failed = [
            error for error in errors if isinstance(error, ClusterError) and _waiting(error) is None
        ]
        return cls(
            InvalidSpecError(
                [problem for error in invalid for problem in error.problems],
                reason=invalid[0].reason,
            )
            if invalid
            else None,
            Cause(waiting[0].reason, "; ".join(each.message for each in waiting))
            if waiting
            else None,
            failed[0] if failed else None,
        )

    @property
    def requeue_after(self) -> float | None:
        """Seconds until another attempt is worth it although no watch event will come."""
        recoverable = self.invalid is not None and self.invalid.reason in _MAY_END_BY_ITSELF
        return BLOCKED_RETRY if self.waiting is not None or recoverable else None


async def applied(step: Awaitable[Sequence[ChildError]]) -> BlockingErrors:
    """Applies an owner and returns what keeps it from being applied as a whole.

    Args:
        step: Applies it; returns the errors of single children.

    Raises:
        ClusterError: The API server failed, and nothing else is to be reported; retry.
    """
    try:
        errors = list(await step)
    except (InvalidSpecError, ForbiddenError, NotFoundError) as error:
        errors = [error]
    blocking = BlockingErrors.of(errors)
    if blocking.failed is not None and blocking.invalid is None and blocking.waiting is None:
        raise blocking.failed
    return blocking


def _waiting(error: ChildError) -> Cause | None:
    match error:
        case DeletionPendingError():
            return Cause(Reason.WAITING_FOR_DELETION, str(error))
        case ForbiddenError():
            return Cause(Reason.FORBIDDEN, f"The operator is not allowed to continue: {error}")
        case NotFoundError():
            return Cause(Reason.NOT_FOUND, f"The operator cannot continue: {error}")
        case _:
            return None
