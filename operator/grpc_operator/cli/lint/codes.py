"""The codes of findings: the only list, of which help, pages and SARIF are made."""

from dataclasses import dataclass
from enum import StrEnum

_DOCS = "https://github.com/grpc-operator/grpc-operator/blob/main/docs/lint"


class Severity(StrEnum):
    """How bad a finding is.

    Attributes:
        ERROR: It is refused, or it does not work.
        WARNING: It works until something happens: a slow server, a rollout, a large answer.
        UNSET: That of the code.
    """

    ERROR = "error"
    WARNING = "warning"
    UNSET = ""


@dataclass(frozen=True)
class Code:
    """A kind of finding.

    Attributes:
        title: What is wrong, in a few words.
        severity: Of its findings unless one says otherwise.
    """

    title: str
    severity: Severity


CODES: dict[str, Code] = {
    "GS001": Code("No image", Severity.ERROR),
    "GS002": Code("Unknown field", Severity.ERROR),
    "GS003": Code("Value that the API server refuses", Severity.ERROR),
    "GS004": Code("Spec that the operator refuses", Severity.ERROR),
    "GS005": Code("Gateway settings that the operator refuses", Severity.ERROR),
    "GS006": Code("Descriptor that cannot be used", Severity.ERROR),
    "GS007": Code("REST rule that is not served", Severity.ERROR),
    "GS008": Code("Reference to an object that does not exist", Severity.WARNING),
    "GS009": Code("Objects that exclude each other", Severity.ERROR),
    "GS010": Code("File that cannot be read", Severity.ERROR),
    "GS011": Code("Ignore comment without effect", Severity.WARNING),
    "GS101": Code("gRPC that browsers cannot call", Severity.WARNING),
    "GS102": Code("No health checks", Severity.WARNING),
    "GS103": Code("No deadlines", Severity.WARNING),
    "GS104": Code("Wrong or no retries", Severity.WARNING),
    "GS105": Code("Messages that grow without a limit", Severity.WARNING),
    "GS106": Code("Streams without a limit or flow control", Severity.WARNING),
    "GS107": Code("No reflection, or reflection for everybody", Severity.WARNING),
    "GS108": Code("No interceptors for logging, authentication or metrics", Severity.WARNING),
    "GS109": Code("Status codes that are not used", Severity.WARNING),
    "GS110": Code("No graceful shutdown", Severity.WARNING),
}
"""All codes: GS0xx for what is refused, GS1xx for the ten common mistakes."""


def docs_link(code: str) -> str:
    """Returns the address of the page about a code."""
    return f"{_DOCS}/{code}.md"
