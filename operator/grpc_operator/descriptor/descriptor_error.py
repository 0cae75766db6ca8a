"""The one error of this package, and how untrusted text is shown in it."""

from collections.abc import Sequence

from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError, Problem

_MOST_PROBLEMS = 20
_LONGEST_TEXT = 120


class DescriptorError(InvalidSpecError):
    """A FileDescriptorSet that cannot be used; the sources or their build must change.

    Attributes:
        reason: ``InvalidDescriptor``, ``DescriptorTooLarge`` or ``ServiceNotFound``.
    """

    def __init__(
        self, problems: Sequence[Problem], *, reason: Reason = Reason.INVALID_DESCRIPTOR
    ) -> None:
        super().__init__(problems, reason=reason)


class Problems:
    """Collects problems up to a limit: a hostile set could have very many."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, message: str) -> None:
        """Adds one.

        Raises:
            DescriptorError: There are many already.
        """
        self._found.append(Problem("spec.descriptor", message))
        if len(self._found) == _MOST_PROBLEMS:
            self._found.append(Problem("spec.descriptor", "perhaps more; fix these first"))
            self.check()

    def check(self) -> None:
        """Ends the collection.

        Raises:
            DescriptorError: There is a problem.
        """
        if self._found:
            raise DescriptorError(self._found)


def refuse(
    message: str, *, reason: Reason = Reason.INVALID_DESCRIPTOR, field: str = "spec.descriptor"
) -> DescriptorError:
    """Returns the error that names one problem."""
    return DescriptorError([Problem(field, message)], reason=reason)


def shown(text: str | bytes) -> str:
    """Returns text for a message: of bounded length, in one line, without control characters.

    Args:
        text: Any string field of a descriptor. protobuf gives bytes where it is not UTF-8.
    """
    if isinstance(text, bytes):
        text = text[: 4 * _LONGEST_TEXT].decode(errors="backslashreplace")
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "..."
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
