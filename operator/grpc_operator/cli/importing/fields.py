"""A mapping of a document that knows which of its fields were read.

What nobody has read is reported as lost at the end, so a field that an import does not know cannot
disappear without a word.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NoReturn, TypeVar

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.report import Effect, Report, path
from grpc_operator.cli.manifests import Document, Location

Value = TypeVar("Value")

_UNKNOWN = "a GrpcService has no such field"


class Fields:
    """The fields of one mapping. ``null`` counts as not set, as it does for Kubernetes.

    Raises (every method that reads):
        CliError: A value has another type than it must have; names file and line.
    """

    def __init__(self, document: Document, report: Report, location: Location = ()) -> None:
        """Reads the mapping at a location of a document; an absent one is empty."""
        self.document = document
        self.report = report
        self.location = tuple(location)
        self._left = dict(_mapping(document, self.location))
        self._children: list[Fields] = []
        self._by_name: dict[str, Fields] = {}

    def __contains__(self, name: str) -> bool:
        return self._left.get(name) is not None

    def names(self) -> list[str]:
        """Returns the names of the fields that nobody has read yet."""
        return [name for name, value in self._left.items() if value is not None]

    def where(self, *steps: str | int) -> str:
        """Returns ``FILE:LINE`` of a field."""
        return self.document.where((*self.location, *steps))

    def peek(self, name: str) -> Any:
        """Returns a value that does not count as read."""
        return self._left.get(name)

    def take(self, name: str) -> Any:
        """Returns a copy of a value, which counts as read with all that is in it."""
        return deepcopy(self._left.pop(name, None))

    def whole(self) -> dict[str, Any]:
        """Returns all fields that nobody has read yet, which count as read now."""
        return {name: self.take(name) for name in self.names()}

    def text(self, name: str) -> str | None:
        """Returns a string."""
        return self._typed(name, str, "a string")

    def number(self, name: str) -> int | None:
        """Returns a whole number."""
        value = self._left.get(name)
        if isinstance(value, bool):
            self.refuse(name, f"must be a whole number, not {str(value).lower()}")
        return self._typed(name, int, "a whole number")

    def flag(self, name: str) -> bool | None:
        """Returns a boolean."""
        return self._typed(name, bool, "true or false")

    def sequence(self, name: str) -> list[Any] | None:
        """Returns a list as it is."""
        return self._typed(name, list, "a list")

    def strings(self, name: str) -> list[str] | None:
        """Returns a list of strings."""
        found = self.sequence(name)
        for index, each in enumerate(found or []):
            if not isinstance(each, str):
                self.refuse(name, f"must be a string, not {_kind(each)}: quote it", index)
        return found

    def texts(self, name: str) -> dict[str, str]:
        """Returns a mapping of strings, such as labels."""
        found = self._typed(name, dict, "a mapping") or {}
        for key, value in found.items():
            if not isinstance(value, str):
                self.refuse(name, f"must have only strings; quote the value of {key}", key)
        return dict(found)

    def child(self, *names: str) -> "Fields":
        """Returns the fields of a mapping inside; those of an empty one if there is none."""
        found = self
        for name in names:
            found = found._child(name)
        return found

    def items(self, name: str) -> "list[Fields]":
        """Returns the mappings of a list."""
        count = len(self.sequence(name) or [])
        return [
            self._add(Fields(self.document, self.report, (*self.location, name, index)))
            for index in range(count)
        ]

    def lose(self, name: str, why: str) -> None:
        """Reports a field as lost, if it is set."""
        self._remark(Effect.LOST, name, why)

    def ignore(self, name: str, why: str) -> None:
        """Reports a field as without meaning, if it is set."""
        self._remark(Effect.IGNORED, name, why)

    def say(self, effect: Effect, why: str, *steps: str | int) -> None:
        """Makes a remark about the field that ``steps`` lead to, or about the mapping itself."""
        self.report.add(effect, self.document, (*self.location, *steps), why)

    def refuse(self, name: str, message: str, *steps: str | int) -> NoReturn:
        """Raises an error about a field."""
        field = path((*self.location, name, *steps))
        raise CliError(f"{field}: {message}", where=self.where(name, *steps))

    def finish(self, why: str = _UNKNOWN) -> None:
        """Reports as lost all that nobody has read, here and in what was read from here."""
        for name in list(self._left):
            self.lose(name, why)
        for child in self._children:
            child.finish(why)

    def _child(self, name: str) -> "Fields":
        if name not in self._by_name:
            self._typed(name, dict, "a mapping")
            child = Fields(self.document, self.report, (*self.location, name))
            self._by_name[name] = self._add(child)
        return self._by_name[name]

    def _add(self, child: "Fields") -> "Fields":
        self._children.append(child)
        return child

    def _remark(self, effect: Effect, name: str, why: str) -> None:
        if self._left.pop(name, None) is not None:
            self.say(effect, why, name)

    def _typed(self, name: str, kind: type[Value], wanted: str) -> Value | None:
        value = self._left.get(name)
        if value is not None and not isinstance(value, kind):
            self.refuse(name, f"must be {wanted}, not {_kind(value)}")
        self._left.pop(name, None)
        return deepcopy(value)


def _mapping(document: Document, location: Location) -> Iterator[tuple[str, Any]]:
    value = document.data
    for step in location:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return
    if value is None:
        return
    if not isinstance(value, dict):
        where = document.where(location)
        what = path(location) or "the document"
        raise CliError(f"{what}: must be a mapping, not {_kind(value)}", where=where)
    yield from value.items()


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")
