"""What keeps an owner from being applied: its spec, or something outside of it."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grpc_operator.api.reasons import Reason
from grpc_operator.errors import (
    AdmissionDeniedError,
    ClusterError,
    ForbiddenError,
    InvalidSpecError,
    NotFoundError,
)
from grpc_operator.reconcile.children import ChildError, ContestedError
from grpc_operator.reconcile.controllers import DeletionPendingError
from grpc_operator.reconcile.rejections import ChildFailedError, quoted
from grpc_operator.status.observed import Cause

BLOCKED_RETRY = 15.0
"""Seconds until the next attempt when something outside the spec has to change first."""

_JITTER = 0.2
"""Share by which that differs, so that owners which a policy denies do not come all at once."""

_MAY_END_BY_ITSELF = {
    Reason.NAME_CONFLICT,
    Reason.REJECTED,
    Reason.SERVICE_ACCOUNT_NOT_ALLOWED,
}
"""Reasons that no watch reports the end of: an object of others, what others have changed, or an
annotation of a ServiceAccount."""

_MOST_CHILDREN = 4
"""Children whose errors are quoted in full; the others are named."""

Errors = Iterable[ChildError | ClusterError]


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
    def of(cls, errors: Errors) -> "BlockingErrors":
        """Returns what the errors of single children amount to."""
        errors = list(errors)
        invalid = [error for error in errors if isinstance(error, InvalidSpecError)]
        others = [error for error in errors if not isinstance(error, InvalidSpecError)]
        failed = [
            cause
            for error in others
            if (cause := _of_api_server(error)) is not None and _reason(cause) is None
        ]
        return cls(
            InvalidSpecError(
                [problem for error in invalid for problem in error.problems],
                reason=invalid[0].reason,
            )
            if invalid
            else None,
            _waiting(others),
            failed[0] if failed else None,
        )

    @property
    def requeue_after(self) -> float | None:
        """Seconds until another attempt is worth it although no watch event will come."""
        recoverable = self.invalid is not None and self.invalid.reason in _MAY_END_BY_ITSELF
        if self.waiting is None and not recoverable:
            return None
        return BLOCKED_RETRY * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret


def _waiting(errors: Sequence[ChildError | ClusterError]) -> Cause | None:
    """Returns what has to happen outside of the spec, with the reason of what fails first."""
    if not errors:
        return None
    quoted, named = errors[:_MOST_CHILDREN], errors[_MOST_CHILDREN:]
    causes = [_cause(error) for error in quoted]
    more = [error.child for error in named if isinstance(error, ChildFailedError)]
    text = "; ".join(cause.message for cause in causes)
    if more:
        text += f"; and likewise {', '.join(more)}"
    return Cause(causes[0].reason, text)


def _cause(error: ChildError | ClusterError) -> Cause:
    match error:
        case DeletionPendingError():
            return Cause(Reason.WAITING_FOR_DELETION, str(error))
        case ContestedError():
            text = f"{error}; it is applied again at most once a minute"
            return Cause(Reason.FIELDS_CONTESTED, text)
        case ChildFailedError():
            reason = _reason(error.error)
            if reason is None:
                return Cause(Reason.WRITE_FAILED, f"The API server does not write {error}")
            return Cause(reason, f"The API server refuses {error}")
        case ClusterError():
            reason = _reason(error) or Reason.WRITE_FAILED
            return Cause(reason, f"The API server refuses a request{quoted(error)}")
        case _:
            raise TypeError(error)


def _of_api_server(error: ChildError | ClusterError) -> ClusterError | None:
    if isinstance(error, ChildFailedError):
        return error.error
    return error if isinstance(error, ClusterError) else None


def _reason(error: ClusterError) -> Reason | None:
    """Returns the reason of what lasts until somebody changes something; ``None`` for a failure."""
    match error:
        case AdmissionDeniedError():
            return Reason.ADMISSION_DENIED
        case ForbiddenError():
            return Reason.FORBIDDEN
        case NotFoundError():
            return Reason.NOT_FOUND
        case _:
            return None
