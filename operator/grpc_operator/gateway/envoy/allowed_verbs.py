"""Which verbs a REST path has: for 405 and ``Allow`` (RFC 9110, sections 10.2.1 and 15.5.6).

No route and no transcoder says so. Only when a request is refused, the module compares its path
with those of the service (``operator/proxy_module/allowed_verbs.c``).
"""

from collections import defaultdict
from collections.abc import Iterable

from grpc_operator.gateway import patterns
from grpc_operator.gateway.patterns import Pattern

_MOST_SEGMENTS = 32
_OTHERS = 0
"""The group of paths with more segments, or with any number of them."""


def paths(of: Iterable[Pattern]) -> str:
    """Returns the paths as the module reads them: the custom verbs, then groups of lines.

    By the number of segments, so that a path is compared with few of them. The transcoder knows the
    custom verbs of a service, and reads no others as such.

    Args:
        of: Patterns of REST paths, each once.
    """
    groups: dict[int, list[str]] = defaultdict(list)
    verbs = set()
    for pattern in of:
        *head, last = pattern.parts
        literal, _, verb = last.rpartition(":")
        if pattern.custom_verb or not literal:
            literal, verb = last, pattern.custom_verb
        verbs.add(verb)
        path = "/".join(["", *head, literal])
        groups[_group(pattern)].append(f"{pattern.verb} :{verb} {path}\n")
    lines = [f"{number}\n{''.join(sorted(each))}" for number, each in sorted(groups.items())]
    return f" {' '.join(sorted(verbs - {''}))} \n{''.join(lines)}"


def _group(pattern: Pattern) -> int:
    size = len(pattern.parts)
    return _OTHERS if patterns.REST in pattern.parts or size > _MOST_SEGMENTS else size
