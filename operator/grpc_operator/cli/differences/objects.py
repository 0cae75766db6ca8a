"""Compares objects."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from grpc_operator import labels
from grpc_operator.cli.output import yaml_text
from grpc_operator.resources import Manifest

Identity = tuple[str, str, str]
"""Kind, namespace, name."""


@dataclass(frozen=True)
class Change:
    """How one object changes.

    Attributes:
        identity: Of the object.
        verb: What becomes of it.
        lines: A unified diff, without a newline at the ends of lines.
        replaces_pods: Whether it is a Deployment whose pod template changes.
    """

    identity: Identity
    verb: Literal["created", "changed", "deleted"]
    lines: tuple[str, ...]
    replaces_pods: bool = False

    @property
    def name(self) -> str:
        """``KIND/NAME``, as kubectl prints it."""
        kind, _, name = self.identity
        return f"{kind.lower()}/{name}"


def changes(old: Sequence[Manifest], new: Sequence[Manifest]) -> list[Change]:
    """Returns what differs, in the order of writing; objects that are deleted come last."""
    before = {_identity(each): _shown(each) for each in old}
    after = {_identity(each): _shown(each) for each in new}
    return [*_changed(before, after)]


def _changed(before: dict[Identity, Manifest], after: dict[Identity, Manifest]) -> Iterator[Change]:
    for identity, manifest in after.items():
        if identity not in before:
            yield Change(identity, "created", _diff(identity, None, manifest))
        elif before[identity] != manifest:
            old = before[identity]
            lines = _diff(identity, old, manifest)
            is_deployment = identity[0] == "Deployment"
            replaces = is_deployment and old["spec"]["template"] != manifest["spec"]["template"]
            yield Change(identity, "changed", lines, replaces)
    for identity, manifest in before.items():
        if identity not in after:
            yield Change(identity, "deleted", _diff(identity, manifest, None))


def _diff(identity: Identity, old: Manifest | None, new: Manifest | None) -> tuple[str, ...]:
    name = "/".join(identity)
    return tuple(
        difflib.unified_diff(
            _lines(old),
            _lines(new),
            f"{name} (before)" if old else "/dev/null",
            f"{name} (after)" if new else "/dev/null",
            lineterm="",
        )
    )


def _lines(manifest: Manifest | None) -> list[str]:
    return yaml_text([manifest]).splitlines()[1:] if manifest else []


def _identity(manifest: Manifest) -> Identity:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata["namespace"], metadata["name"]


def _shown(manifest: Manifest) -> Manifest:
    """Returns an object without the hash of its content, which differs whenever that does."""
    metadata = {**manifest["metadata"]}
    annotations = {
        name: text
        for name, text in (metadata.pop("annotations", None) or {}).items()
        if name != labels.APPLIED_HASH
    }
    if annotations:
        metadata["annotations"] = annotations
    return {**manifest, "metadata": metadata}
