"""One thing that the API server would refuse."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["Unknown", "Required", "Value", "Rule"]
Location = tuple[str | int, ...]


@dataclass(frozen=True)
class SchemaProblem:
    """One thing that is wrong with an object.

    Attributes:
        location: Keys and indices that lead to the field.
        kind: ``Unknown`` field, ``Required`` field that is missing, ``Value`` that is outside of
            the schema, or ``Rule`` (CEL) that does not hold.
        message: What is wrong, in the words of the API server.
        fix: What to do; empty if the message says it.
        blocks: Whether rules about what contains the field cannot be evaluated.
    """

    location: Location
    kind: Kind
    message: str
    fix: str = ""
    blocks: bool = False

    @property
    def field(self) -> str:
        """The location as Kubernetes writes it, such as ``spec.env[0].name``."""
        return path(self.location)


def path(location: Location) -> str:
    """Returns a location as Kubernetes writes it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".")
