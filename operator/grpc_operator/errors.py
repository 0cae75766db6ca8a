"""The errors that end as conditions. Each carries what a person needs to fix it."""

from collections.abc import Sequence
from dataclasses import dataclass

from grpc_operator.api.reasons import Reason


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an object.

    Attributes:
        field: JSON path of the field, such as ``spec.podTemplate.spec.hostNetwork``.
        message: What is wrong and how to fix it.
    """

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InvalidSpecError(Exception):
    """The object's author must change it; retrying cannot help. Names every problem at once."""

    def __init__(
        self, problems: Sequence[Problem], *, reason: Reason = Reason.INVALID_SPEC
    ) -> None:
        self.problems = tuple(problems)
        self.reason = reason
        texts = [str(problem) for problem in problems]
        if len(texts) > 1:
            numbered = "; ".join(f"({n}) {text}" for n, text in enumerate(texts, start=1))
            texts = [f"{len(texts)} problems: {numbered}"]
        super().__init__("".join(texts))


class ConfigurationError(Exception):
    """Whoever started the operator must change arguments or settings; a restart cannot help."""


class ClusterError(Exception):
    """The API server rejected a request or did not respond.

    Attributes:
        words: What the server said, or why there was no answer; without the request.
        status: HTTP status, or 0 when there was no answer.
        retry_after: Seconds the server asked to wait, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        words: str = "",
        status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.words = words or message
        self.status = status
        self.retry_after = retry_after


class NotFoundError(ClusterError):
    """The object, or its namespace, does not exist (404)."""


class ConflictError(ClusterError):
    """The object changed, or is another one of the same name (409)."""


class ForbiddenError(ClusterError):
    """The operator may not do this (403): RBAC, a quota or a namespace that is being deleted."""


class AdmissionDeniedError(ClusterError):
    """An admission policy or webhook denies the write, with whatever HTTP status it chose."""


class RejectedError(ClusterError):
    """The API server found the object itself invalid (400, 422) or too large (413)."""


class LeaseLostError(Exception):
    """This replica may no longer write."""
