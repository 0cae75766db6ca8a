"""Whether a GrpcService is healthy, and what is wrong with it first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator.cli.live import fixes, text
from grpc_operator.cli.main import program
from grpc_operator.resources import Manifest

_GOOD = {"PartiallyInvalid": "False", "Reconciling": "False", "Stalled": "False"}
"""The status that is good of conditions of which it is not ``True``."""

_ORDER = (
    "Accepted",
    "ResolvedRefs",
    "SchemaCompatible",
    "Available",
    "Programmed",
    "PartiallyInvalid",
    "ScalingActive",
    "DisruptionAllowed",
    "Ready",
    "Reconciling",
    "Stalled",
)
"""Conditions in the order in which a service becomes ready."""

_REPEATING = {"Reconciling", "Stalled"}
"""Conditions that repeat the reason of another one."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with an object.

    Attributes:
        condition: The type of the condition that says so.
        reason: For programs.
        message: For people, on one line.
        fix: What to do next.
    """

    condition: str
    reason: str
    message: str
    fix: str

    def data(self) -> dict[str, str]:
        """Returns it for JSON."""
        return {
            "condition": self.condition,
            "reason": self.reason,
            "message": self.message,
            "fix": self.fix,
        }


def name_of(manifest: Manifest) -> tuple[str, str]:
    """Returns namespace and name."""
    metadata = manifest["metadata"]
    return str(metadata.get("namespace", "")), str(metadata["name"])


def status_of(manifest: Manifest) -> Mapping[str, Any]:
    """Returns the status; empty before there is one."""
    found: Mapping[str, Any] = manifest.get("status") or {}
    return found


def conditions(manifest: Manifest) -> list[Mapping[str, Any]]:
    """Returns the conditions, in the order in which an object becomes ready."""
    found = status_of(manifest).get("conditions") or []
    return sorted(found, key=lambda each: _place(each.get("type", "")))


def condition(manifest: Manifest, type_: str) -> Mapping[str, Any]:
    """Returns one condition; empty if the object does not have it."""
    for each in status_of(manifest).get("conditions") or ():
        if each.get("type") == type_:
            found: Mapping[str, Any] = each
            return found
    return {}


def is_reconciled(manifest: Manifest) -> bool:
    """Whether the status is about the newest spec."""
    generation = int(manifest["metadata"].get("generation") or 0)
    return int(status_of(manifest).get("observedGeneration") or -1) >= generation


def is_good(each: Mapping[str, Any]) -> bool:
    """Whether a condition has the status that it has on a healthy object."""
    return bool(each.get("status") == _GOOD.get(str(each.get("type")), "True"))


def is_healthy(manifest: Manifest) -> bool:
    """Whether all desired pods of the newest spec serve: what ``Ready`` says of it."""
    return is_reconciled(manifest) and condition(manifest, "Ready").get("status") == "True"


def problems(manifest: Manifest) -> list[Problem]:
    """Returns what is wrong, what matters most first.

    An object may be healthy all the same: some REST rules cannot be served, say.
    """
    if not is_reconciled(manifest):
        return [_not_reconciled(manifest), *_of_conditions(manifest)]
    return list(_of_conditions(manifest))


def _of_conditions(manifest: Manifest) -> Iterator[Problem]:
    """``Ready`` comes first: it has the reason that the operator found to matter most."""
    said: set[str] = set()
    bad = [each for each in conditions(manifest) if not is_good(each)]
    for each in sorted(bad, key=lambda each: each.get("type") != "Ready"):
        reason = text.line(each.get("reason"), 128)
        if reason not in said and each.get("type") not in _REPEATING:
            said.add(reason)
            fix = fixes.of(reason, arguments(manifest), program())
            yield Problem(str(each.get("type")), reason, text.line(each.get("message")), fix)


def _not_reconciled(manifest: Manifest) -> Problem:
    observed = int(status_of(manifest).get("observedGeneration") or -1)
    generation = manifest["metadata"].get("generation")
    message = (
        "No operator has reconciled the object yet"
        if observed < 0
        else f"The status is about generation {observed}, and the spec has generation {generation}"
    )
    return Problem("", "NotReconciled", message, fixes.of_operator(program()))


def arguments(manifest: Manifest) -> str:
    """Returns the arguments by which a command finds the object."""
    namespace, name = name_of(manifest)
    return f"{name} -n {namespace}"


def _place(type_: str) -> int:
    return _ORDER.index(type_) if type_ in _ORDER else len(_ORDER)
