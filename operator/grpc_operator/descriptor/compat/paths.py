"""What a binding of ``google.api.http`` takes from a request, whatever fields are called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grpc_operator.descriptor.compat.schema import Schema
from grpc_operator.descriptor.model import Binding

ANY, REST = "*", "**"
"""One segment, and all that are left."""

ANY_VERB = "*"
"""Every HTTP method."""

Shape = tuple[str, tuple[str, ...], str]
"""HTTP method, segments and custom verb: equal ones match the same requests."""

Numbers = tuple[int | str, ...]
"""A path of fields by their numbers."""

_VARIABLE = re.compile(r"\{([^}=]+)(?:=([^}]*))?\}")


@dataclass(frozen=True)
class Served:
    """A binding with the method that has it.

    Attributes:
        method: Full name, such as ``user.v1.UserService.GetUser``.
        request: Full name of its request.
        response: Full name of its response.
    """

    binding: Binding
    method: str
    request: str
    response: str

    @property
    def shape(self) -> Shape:
        """Which requests it matches."""
        return self.binding.verb, self.binding.segments, self.binding.custom_verb

    @property
    def element(self) -> str:
        """It as its author wrote it, such as ``GET /v1/users/{id}``."""
        return f"{self.binding.verb} {self.binding.template}"

    def body(self, schema: Schema) -> Numbers:
        """Returns what the body of a request is; ``*`` for the request, empty for nothing."""
        return _field(schema, self.request, self.binding.body)

    def response_body(self, schema: Schema) -> Numbers:
        """Returns what the body of a response is; empty for all of it."""
        return _field(schema, self.response, self.binding.response_body)

    def variables(self, schema: Schema, length: int) -> Mapping[tuple[int, int], Numbers]:
        """Returns which field each part of a path sets.

        Args:
            schema: Of the method.
            length: Segments of the path; it only matters where the binding has ``**``.

        Returns:
            The fields by the first and last segment that they are set from.
        """
        segments = self.binding.segments
        rest = segments.index(REST) if REST in segments else len(segments)
        surplus = length - len(segments)
        found = {}
        before, end = 0, 0
        for match in _VARIABLE.finditer(self.binding.template):
            # Variables before this one are as many segments as their patterns have.
            before += self.binding.template.count("/", end, match.start())
            count = (match.group(2) or ANY).count("/")
            first, last = before - 1, before - 1 + count
            start = first + surplus if first > rest else first
            stop = last + surplus if last >= rest else last
            found[start, stop] = schema.numbers(self.request, match.group(1))
            before, end = before + count, match.end()
        return found


def covers(wide: Shape, narrow: Shape) -> bool:
    """Returns whether one binding matches every request that another one matches."""
    verb, segments, custom = wide
    if verb not in {narrow[0], ANY_VERB} or custom != narrow[2]:
        return False
    if REST not in segments:
        return len(segments) == len(narrow[1]) and _match(segments, narrow[1])
    at = segments.index(REST)
    tail = len(segments) - at - 1
    if len(narrow[1]) < at + tail + (tail > 0):
        return False
    ends = narrow[1][len(narrow[1]) - tail :]
    return _match(segments[:at], narrow[1][:at]) and _match(segments[at + 1 :], ends)


def family(shape: Shape) -> tuple[str, tuple[str, ...], tuple[str, ...], str]:
    """Returns a value that paths share which differ only in how many wildcards they end with.

    Literals may follow the wildcards. ``GET /v1/files/*`` takes requests from
    ``GET /v1/files/**``, and both are of one family.
    """
    verb, segments, custom = shape
    stop = len(segments)
    while stop and segments[stop - 1] not in {ANY, REST}:
        stop -= 1
    start = stop
    while start and segments[start - 1] in {ANY, REST}:
        start -= 1
    return verb, segments[:start], segments[stop:], custom


def _match(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return all(
        left == right or (left == ANY and right != REST)
        for left, right in zip(wide, narrow, strict=True)
    )


def _field(schema: Schema, message: str, name: str) -> Numbers:
    return (name,) if name in {"", "*"} else schema.numbers(message, name)
