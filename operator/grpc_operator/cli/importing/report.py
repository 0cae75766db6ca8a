"""What an import could not keep as it was: each with file, line, field and the reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from grpc_operator.cli.manifests import Document, Location


class Effect(StrEnum):
    """What became of a field.

    Attributes:
        LOST: The result does not do what the field asked for.
        CHANGED: The result does it in another way, or nearly.
        GUESSED: The source does not say it; the result has an assumption.
        ADDED: The operator does it although the source does not ask for it.
        IGNORED: The field means nothing for the result: a cluster or a tool has written it.
    """

    LOST = "lost"
    CHANGED = "changed"
    GUESSED = "guessed"
    ADDED = "added"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Remark:
    """What became of one field.

    Attributes:
        effect: What became of it.
        document: Where it is from.
        location: Keys and indices that lead to it.
        why: The reason, and what to do if something can be done.
    """

    effect: Effect
    document: Document
    location: tuple[str | int, ...]
    why: str

    @property
    def field(self) -> str:
        """The path of the field, such as ``spec.template.spec.containers[0].image``."""
        return path(self.location)

    def __str__(self) -> str:
        where = self.document.where(self.location)
        return f"{where}: {self.field or 'the object'}: {self.effect}: {self.why}"


@dataclass
class Report:
    """The remarks of an import, in the order in which they were made."""

    remarks: list[Remark] = field(default_factory=list)

    def add(self, effect: Effect, document: Document, location: Location, why: str) -> None:
        """Adds a remark; see ``Remark``."""
        self.remarks.append(Remark(effect, document, tuple(location), why))

    def of(self, *effects: Effect) -> Iterator[Remark]:
        """Yields the remarks with one of these effects."""
        yield from (remark for remark in self.remarks if remark.effect in effects)

    def lines(self) -> list[str]:
        """Returns the remarks as people read them, losses first, and by line below that."""
        order = {effect: number for number, effect in enumerate(Effect)}
        found = sorted(
            self.remarks,
            key=lambda each: (
                order[each.effect],
                each.document.file,
                each.document.line(each.location),
            ),
        )
        return list(dict.fromkeys(map(str, found)))


def path(location: Location) -> str:
    """Returns a path as Kubernetes writes it; keys that are no plain names are in brackets."""
    text = ""
    for step in location:
        plain = isinstance(step, str) and step.replace("_", "").replace("-", "").isalnum()
        if plain:
            text += f".{step}" if text else str(step)
        else:
            shown = "".join(each if each.isprintable() else "?" for each in str(step))
            text += f"[{shown}]"
    return text
