"""One breaking change, and whom it concerns."""

from dataclasses import dataclass
from enum import Flag

_LONGEST_ENTRY = 512
"""Characters of an entry of ``spec.rollout.schema.allow``."""


@dataclass(frozen=True, order=True)
class Breaking:
    """A breaking change.

    Attributes:
        rule: Name of the rule, such as ``FIELD_SAME_NAME``.
        element: What the earlier set called it: a full name such as ``user.v1.User.name``, a file,
            or a binding such as ``GET /v1/users/{id}``. Valid text, of any length.
        message: What has changed, and who notices.
    """

    rule: str
    element: str
    message: str

    @property
    def entry(self) -> str:
        """The entry of ``spec.rollout.schema.allow`` that allows it."""
        entry = f"{self.rule}:{self.element}"
        return entry if len(entry) <= _LONGEST_ENTRY else f"{self.rule}:*"


class Use(Flag):
    """What callers do with a message or enum."""

    NONE = 0
    SENT = 1
    """It is in a request."""
    READ = 2
    """It is in a response."""


_CALLERS = {
    Use.NONE: "callers that have it in a google.protobuf.Any",
    Use.SENT: "callers that send it",
    Use.READ: "callers that read it",
    Use.SENT | Use.READ: "callers that send or read it",
}
_WITHOUT = {
    Use.NONE: "what callers have in it, in a google.protobuf.Any, is lost",
    Use.SENT: "what callers send in it is ignored",
    Use.READ: "callers that read it find it empty",
    Use.SENT | Use.READ: "what callers send in it is ignored, and those that read it find it empty",
}


def changed(rule: str, element: str, what: str, use: Use) -> Breaking:
    """Returns that something is not compatible with what callers know."""
    return Breaking(rule, element, f"{what}: breaks {_CALLERS[use]}")


def removed(rule: str, element: str, what: str, use: Use) -> Breaking:
    """Returns that something is gone that callers know."""
    return Breaking(rule, element, f"{what}: {_WITHOUT[use]}")
