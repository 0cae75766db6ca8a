"""Findings that the author of a service accepts: ``spec.rollout.schema.allow``."""

from collections.abc import Iterable

from grpc_operator.descriptor.compat.breaking import Breaking


class Allowed:
    """Entries ``RULE:ELEMENT``, or ``RULE:*`` for every finding of a rule.

    Args:
        entries: As they stand in the spec.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._unused = dict.fromkeys(entries)
        self._entries = frozenset(self._unused)

    def has(self, found: Breaking) -> bool:
        """Returns whether a finding is allowed."""
        entries = {f"{found.rule}:{found.element}", f"{found.rule}:*"} & self._entries
        for each in entries:
            self._unused.pop(each, None)
        return bool(entries)

    @property
    def unused(self) -> tuple[str, ...]:
        """Entries that have matched nothing, in their order."""
        return tuple(self._unused)
