"""Compares two descriptors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grpc_operator import limits
from grpc_operator.descriptor.compat import bindings, enums, messages, rpcs
from grpc_operator.descriptor.compat.allowed import Allowed
from grpc_operator.descriptor.compat.breaking import Breaking
from grpc_operator.descriptor.compat.schema import Schema
from grpc_operator.descriptor.model import Descriptor


@dataclass(frozen=True)
class Verdict:
    """Whether a descriptor is compatible with an earlier one.

    Attributes:
        findings: Breaking changes that are not allowed, those of services and methods first.
        is_cut: Whether there are more.
        allowed: Number of breaking changes that are allowed.
        unused: Entries of ``allow`` that match none; empty when there are more findings.
    """

    findings: tuple[Breaking, ...] = ()
    is_cut: bool = False
    allowed: int = 0
    unused: tuple[str, ...] = ()


def check(old: Descriptor, new: Descriptor, *, rest: bool, allow: Iterable[str] = ()) -> Verdict:
    """Returns whether a descriptor breaks callers that were built with an earlier one.

    Args:
        old: What callers know. The bindings of its methods are those that were served.
        new: What the server has. The bindings of its methods are those to be served.
        rest: Whether callers may use REST, and so send and read JSON.
        allow: ``spec.rollout.schema.allow``.
    """
    allowed = Allowed(allow)
    count = 0
    findings: list[Breaking] = []
    for each in breaking(old, new, rest=rest):
        if allowed.has(each):
            count += 1
        elif len(findings) == limits.SCHEMA_FINDINGS.value:
            return Verdict(tuple(findings), is_cut=True, allowed=count)
        else:
            findings.append(each)
    return Verdict(tuple(findings), allowed=count, unused=allowed.unused)


def breaking(old: Descriptor, new: Descriptor, *, rest: bool) -> Iterator[Breaking]:
    """Yields every breaking change, in a fixed order; the arguments are those of ``check``."""
    if old.data == new.data and old.services == new.services:
        return
    before, after = Schema.of(old.data), Schema.of(new.data)
    yield from rpcs.breaking(before, after)
    if rest:
        yield from bindings.breaking(before, after, old.services, new.services)
    yield from messages.breaking(before, after, json=rest)
    yield from enums.breaking(before, after, json=rest)
