"""What the API server says about a child it refuses, in terms of the owner's fields."""

import re
from collections.abc import Sequence

from grpc_operator import limits, quotes
from grpc_operator.api.reasons import Reason
from grpc_operator.errors import ClusterError, InvalidSpecError, Problem, RejectedError
from grpc_operator.resources import Manifest

_OF_POD_TEMPLATE = re.compile(
    r"[.]spec[.]template([.](?:spec|metadata)[^\s:]*): (.+?)$", re.MULTILINE
)
"""An error of server-side apply about the schema. Only ``spec.podTemplate`` can cause one in a pod
template: everything else in it comes from fields with a schema of their own."""


class ChildFailedError(Exception):
    """The API server does not let one child be written, for a reason outside the owner's spec.

    Attributes:
        child: Its kind and name.
        error: What the API server said.
    """

    def __init__(self, child: Manifest, error: ClusterError, managers: Sequence[str] = ()) -> None:
        self.child = f"{child['kind']} {child['metadata']['name']}"
        self.error = error
        super().__init__(f"{self.child}{quoted(error)}{_also(child, managers)}")


def rejected(
    child: Manifest, error: RejectedError, managers: Sequence[str] = ()
) -> InvalidSpecError:
    """Returns the error that names the field, the child and who else has written to it.

    Args:
        child: What was refused.
        error: The API server's answer.
        managers: Other field managers of the child, which may have caused it.
    """
    name, also = f"{child['kind']} {child['metadata']['name']}", _also(child, managers)
    problems = [
        Problem(
            f"spec.podTemplate{found[1]}",
            f"{_line(found[2])} (the API server's answer for {name}){also}",
        )
        for found in _OF_POD_TEMPLATE.finditer(error.words)
    ]
    if not problems:
        problems = [Problem("spec", f"the API server refuses {name}{quoted(error)}{also}")]
    return InvalidSpecError(problems, reason=Reason.REJECTED)


def quoted(error: ClusterError) -> str:
    """Returns what the API server said, as the end of a sentence about it."""
    words = _line(error.words)
    return f' (HTTP {error.status}): "{words}"' if error.status else f": {words}"


def _line(words: str) -> str:
    return quotes.one_line(words, limits.QUOTED_ERROR.value)


def _also(child: Manifest, managers: Sequence[str]) -> str:
    if not managers:
        return ""
    return f"; {' and '.join(managers)} also changed this {child['kind']}"
