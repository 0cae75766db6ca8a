"""Domain errors: what services raise instead of ending calls. Knows nothing of gRPC.

Raise one of these, or a subclass with a name of your own: `class EmailTaken(AlreadyExists)`.
`interceptors/errors.py` gives each kind its status code and its google.rpc details.
The text is meant for the caller: say which field is wrong and what to send instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

__all__ = [
    "Aborted",
    "AlreadyExists",
    "Cancelled",
    "DeadlineExceeded",
    "DomainError",
    "FailedPrecondition",
    "FieldViolation",
    "Internal",
    "InvalidArgument",
    "NotFound",
    "OutOfRange",
    "PermissionDenied",
    "Resource",
    "ResourceExhausted",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
]

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class FieldViolation:
    """What is wrong with one field of the request."""

    field: str
    """Path of the field: `user.emails[2].address`; empty for the message as a whole."""
    description: str
    """What is wrong and what to send instead."""
    reason: str = ""
    """A constant for programs, such as the id of the rule."""


@dataclass(frozen=True)
class Resource:
    """What an error is about."""

    type: str
    """Kind of the resource: `user.v1.User`."""
    name: str
    """Its id or name."""


class DomainError(Exception):
    """A request that is refused. `reason` names the cause for programs, in UPPER_SNAKE_CASE
    (google.rpc.ErrorInfo); without one it is the name of the class.
    """

    def __init__(
        self, text: str, *, reason: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        """Refuse with a text for people, and for programs a reason and metadata."""
        super().__init__(text)
        self.reason = reason or _WORD.sub("_", type(self).__name__).upper()
        self.metadata = dict(metadata or {})
        self.violations: Sequence[FieldViolation] = ()
        self.resource: Resource | None = None
        self.retry_seconds: float | None = None

    def violating(self, *violations: FieldViolation) -> Self:
        """Add the fields that are wrong."""
        self.violations = (*self.violations, *violations)
        return self

    def about(self, resource_type: str, name: str) -> Self:
        """Add which resource is missing, exists already or has changed."""
        self.resource = Resource(resource_type, name)
        return self

    def retry_after(self, seconds: float) -> Self:
        """Add when to try again."""
        self.retry_seconds = seconds
        return self


class InvalidArgument(DomainError):
    """A value that is never allowed, whatever the state of the system."""

    @classmethod
    def of(cls, violations: Sequence[FieldViolation]) -> Self:
        """Return the error that lists these fields; at least one."""
        listed = "; ".join(
            f"{v.field}: {v.description}" if v.field else v.description for v in violations
        )
        return cls(listed).violating(*violations)


class OutOfRange(DomainError):
    """A position behind the end, such as reading past the last entry."""


class Unauthenticated(DomainError):
    """No credentials, or none that are valid."""


class PermissionDenied(DomainError):
    """The caller is known and may not do this."""


class NotFound(DomainError):
    """What is asked for does not exist."""


class AlreadyExists(DomainError):
    """What is to be created exists."""


class FailedPrecondition(DomainError):
    """The state of the system forbids it; trying again without a change is of no use."""


class Aborted(DomainError):
    """Somebody else was faster; start again from reading."""


class ResourceExhausted(DomainError):
    """A quota or a limit is used up."""


class Unimplemented(DomainError):
    """This server does not have the method."""


class Unavailable(DomainError):
    """Something the service needs is away for the moment; the same call may be tried again."""


class DeadlineExceeded(DomainError):
    """The time of the call is over."""


class Cancelled(DomainError):
    """The caller has given up."""


class Internal(DomainError):
    """A fault of the server; unforeseen errors become this."""
