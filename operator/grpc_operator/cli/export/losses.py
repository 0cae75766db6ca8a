"""What a target cannot do with the fields of a GrpcService.

A target names the fields that it uses and those that it lacks. A field that is set and neither is a
loss, too: no field is dropped without a word, whatever is added to the API.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED = str.maketrans({"`": r"\u0060"})


@dataclass(frozen=True, order=True)
class Loss:
    """One thing that a target does not do.

    Attributes:
        object: ``KIND NAMESPACE/NAME``.
        field: Path of the field, such as ``spec.env[2].valueFrom.fieldRef``.
        reason: What the target cannot do.
        fix: What to do instead.
    """

    object: str
    field: str
    reason: str
    fix: str


Lack = tuple[str, str]
"""What a target cannot do, and what to do instead."""

UNKNOWN: Lack = ("has no counterpart there.", "Configure it there by hand, if it is needed.")
"""For a field that a target says nothing of."""


@dataclass(frozen=True)
class Coverage:
    """What a target does with the fields of a spec.

    Attributes:
        uses: Paths below ``spec``, without indices, such as ``env.value``: they and all below.
        lacks: Paths of the same form, which may be below one that is used.
        empty: Objects of which an empty one loses nothing: their defaults are used.
    """

    uses: frozenset[str]
    lacks: Mapping[str, Lack]
    empty: frozenset[str] = frozenset()

    def losses(self, about: str, spec: Mapping[str, Any]) -> list[Loss]:
        """Returns what gets lost.

        Args:
            about: ``KIND NAMESPACE/NAME``.
            spec: The fields that are set, as the object has them.
        """
        known = {tuple(path.split(".")) for path in (*self.uses, *self.lacks)}
        return list(_Walk(self, about, known).losses(spec, (), "spec", used=False))


@dataclass(frozen=True)
class _Walk:
    """Compares one spec with a coverage."""

    coverage: Coverage
    about: str
    known: set[tuple[str, ...]]

    def losses(
        self, value: Any, path: tuple[str, ...], shown: str, *, used: bool
    ) -> Iterator[Loss]:
        """Yields what gets lost of a value.

        Args:
            value: The value.
            path: The keys that lead to it.
            shown: The same with indices.
            used: Whether the target uses what it is part of.
        """
        name = ".".join(path)
        if name in self.coverage.lacks:
            yield Loss(self.about, shown, *self.coverage.lacks[name])
            return
        used = used or name in self.coverage.uses
        children = [*_children(value)]
        if not children or not self._has_more(path):
            if not used and path and (value != {} or name not in self.coverage.empty):
                yield Loss(self.about, shown, *UNKNOWN)
            return
        for key, child in children:
            inner = path if isinstance(key, int) else (*path, key)
            yield from self.losses(child, inner, below(shown, key), used=used)

    def _has_more(self, path: tuple[str, ...]) -> bool:
        return any(len(each) > len(path) and each[: len(path)] == path for each in self.known)


def below(path: str, key: str | int) -> str:
    """Returns the path of a part of a value, on one line whatever the key is."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{json.dumps(key)}]"


@dataclass(frozen=True)
class Group:
    """Fields of one object that are lost for the same reason.

    Attributes:
        object: ``KIND NAMESPACE/NAME``.
        fields: Their paths.
        text: Reason and fix.
    """

    object: str
    fields: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Returns it as one line."""
        return f"{self.object}: {', '.join(self.fields)}: {self.text}"


def grouped(losses: Iterable[Loss]) -> list[Group]:
    """Returns losses by object and reason, in the order in which they first occur."""
    found: dict[tuple[str, str], list[str]] = {}
    for loss in losses:
        text = " ".join(f"{loss.reason} {loss.fix}".split())
        found.setdefault((loss.object, text), []).append(loss.field)
    return [Group(about, tuple(fields), text) for (about, text), fields in found.items()]


def as_markdown(target: str, losses: Sequence[Loss]) -> str:
    """Returns the page about the losses of an export."""
    lines = [
        f"# What {target} cannot do",
        "",
        "Fields that this export leaves out or changes, and what to do instead.",
    ]
    groups = grouped(losses)
    for about in dict.fromkeys(group.object for group in groups):
        lines += ["", f"## {about}", ""]
        for group in groups:
            if group.object == about:
                fields = ", ".join(f"`{field.translate(_ESCAPED)}`" for field in group.fields)
                lines.append(f"- {fields}: {group.text}")
    return "\n".join(lines) + "\n"


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
