"""REST paths as the gateway distinguishes them: which service a path belongs to.

A path template (``google.api.http``, path template syntax) is reduced to its literals and
wildcards; what the variables are called and what they bind is the transcoder's business.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from grpc_operator.descriptor.model import Binding

ANY = "*"
"""One segment."""

REST = "**"
"""Every segment that is left, also none."""

ANY_VERB = "*"
"""A custom pattern of this kind takes every HTTP method (google/api/http.proto)."""

_LITERAL = re.compile(r"[-A-Za-z0-9._~!$&'()+,;=:@%]+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REGEX_SYNTAX = re.compile(r"([^A-Za-z0-9_/:-])")


@dataclass(frozen=True, order=True)
class Pattern:
    """One REST path and the HTTP method it takes; equal ones would answer the same requests.

    Attributes:
        verb: HTTP method; ``*`` for any.
        parts: Literals, ``*`` and ``**``; never empty. A custom verb belongs to its literal
            (``users:sync``).
        custom_verb: The custom verb after a wildcard; empty when there is none.
    """

    verb: str
    parts: tuple[str, ...]
    custom_verb: str = ""

    @classmethod
    def of(cls, binding: Binding) -> "Pattern":
        """Returns the pattern of a binding that ``problem`` finds nothing wrong with."""
        *head, last = binding.segments
        verb = binding.custom_verb
        if verb and last not in (ANY, REST):
            return cls(binding.verb, (*head, f"{last}:{verb}"))
        return cls(binding.verb, binding.segments, verb)

    @cached_property
    def prefix(self) -> str:
        """The path before the first wildcard, such as ``/v1/users``."""
        wild = (index for index, part in enumerate(self.parts) if part in (ANY, REST))
        return "/" + "/".join(self.parts[: next(wild, len(self.parts))])

    @cached_property
    def rank(self) -> tuple[int, bool, int, bool]:
        """Sorts the more literal pattern first, where two match the same path.

        Among equal paths the one of a certain HTTP method comes first, as in the transcoder:
        otherwise a pattern of every method would leave nothing to it.
        """
        wild = [part for part in self.parts if part in (ANY, REST)]
        literals = len(self.parts) - len(wild) + bool(self.custom_verb)
        return (-literals, REST in wild, len(wild), self.verb == ANY_VERB)

    @cached_property
    def regex(self) -> str:
        """RE2 that matches the whole path."""
        verb = f":{escaped(self.custom_verb)}" if self.custom_verb else ""
        return "".join(_part_regex(part) for part in self.parts) + verb

    @cached_property
    def shape(self) -> str:
        """One text for all patterns that answer the same requests, such as ``GET /v1/users/*``."""
        verb = f":{self.custom_verb}" if self.custom_verb else ""
        return f"{self.verb} /{'/'.join(self.parts)}{verb}"


@dataclass(frozen=True)
class Paths:
    """Paths that begin with the same segment.

    Attributes:
        patterns: Paths of methods.
        claimed_prefixes: Prefixes whose every path is claimed.
    """

    patterns: tuple[Pattern, ...]
    claimed_prefixes: tuple[str, ...] = ()

    @cached_property
    def literal_prefixes(self) -> tuple[str, ...]:
        """The literal prefixes of all of them, sorted."""
        literal = (pattern.prefix for pattern in self.patterns)
        return tuple(sorted({*literal, *self.claimed_prefixes}))

    @cached_property
    def any_verb(self) -> bool:
        """Whether one of them takes every HTTP method."""
        return any(pattern.verb == ANY_VERB for pattern in self.patterns)

    @cached_property
    def topmost(self) -> tuple[str, ...]:
        """Those literal prefixes that are below no other one."""
        return tuple(
            prefix
            for prefix in self.literal_prefixes
            if not any(above in self.literal_prefixes for above in ancestors(prefix))
        )

    @cached_property
    def starts(self) -> tuple[str, ...]:
        """The topmost ones, without those that another one with a custom verb added equals."""
        known = frozenset(self.topmost)
        return tuple(path for path in self.topmost if path.rpartition(":")[0] not in known)

    @cached_property
    def above(self) -> frozenset[str]:
        """Every path above the topmost literal prefixes."""
        return frozenset(path for prefix in self.topmost for path in ancestors(prefix))

    @cached_property
    def lineage(self) -> frozenset[str]:
        """The literal prefixes, and every path above one of them."""
        return self.above.union(self.literal_prefixes)


def precedes(one: Pattern, other: Pattern) -> bool:
    """Returns whether a pattern is more specific than another one and may match the same path."""
    return (
        one.rank <= other.rank
        and (one.verb == other.verb or ANY_VERB in (one.verb, other.verb))
        and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
    )


def problem(binding: Binding) -> str | None:
    """Returns why the gateway cannot route a binding, or ``None``."""
    if not binding.segments or binding.segments[0] in (ANY, REST):
        return (
            "the path begins with a variable, so that it could belong to any service:"
            " begin it with a literal such as /v1"
        )
    literals = [part for part in binding.segments if part not in (ANY, REST)]
    if not all(_LITERAL.fullmatch(part) for part in literals) or {".", ".."} & set(literals):
        return "the path has a segment that is not valid in a URL (RFC 3986)"
    if binding.custom_verb and not _LITERAL.fullmatch(binding.custom_verb):
        return "the custom verb has a character that is not valid in a URL (RFC 3986)"
    if not _TOKEN.fullmatch(binding.verb):
        return "its HTTP method is not a token (RFC 9110)"
    if binding.verb == "HEAD":
        return "HEAD cannot be served: its responses have no body, and so no message"
    return None


def in_order(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """Returns patterns sorted: as by themselves, but a hundred times as fast."""
    return tuple(sorted(patterns, key=lambda each: (each.verb, each.parts, each.custom_verb)))


def escaped(literal: str) -> str:
    """Returns RE2 that matches exactly this text."""
    return _REGEX_SYNTAX.sub(r"\\\1", literal)


def first(path: str) -> str:
    """Returns the first segment of a path."""
    return path.split("/", 2)[1]


def segments(path: str) -> tuple[str, ...]:
    """Returns the segments of a path without wildcards."""
    return tuple(path.removeprefix("/").split("/"))


def ancestors(path: str) -> tuple[str, ...]:
    """Returns every path that this one is below."""
    return tuple(path[:index] for index, char in enumerate(path) if char == "/" and index)


def _part_regex(part: str) -> str:
    if part == REST:
        return "(/.*)?"
    return "/[^/]+" if part == ANY else f"/{escaped(part)}"
