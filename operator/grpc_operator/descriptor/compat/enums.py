"""Enums, with what they reserve."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from grpc_operator.descriptor.compat.breaking import Breaking, Use, changed, removed
from grpc_operator.descriptor.compat.features import lost_json
from grpc_operator.descriptor.compat.ranges import Range, Ranges, missing
from grpc_operator.descriptor.compat.schema import Enum, Schema


def breaking(old: Schema, new: Schema, *, json: bool) -> Iterator[Breaking]:
    """Yields what breaks callers that send or read enums, by name.

    Args:
        old: What callers know.
        new: What the server has.
        json: Whether they may send and read JSON.
    """
    for name, enum in sorted(old.enums.items()):
        other = new.enums.get(name)
        if other is None or (enum.features == other.features and enum.proto == other.proto):
            continue
        use = old.use(name)
        yield from _values(enum, other, use, json=json)
        gone = missing(_reserved(enum), _reserved(other))
        if gone:
            what = f"no longer reserves {gone}"
            yield changed("RESERVED_ENUM_NO_DELETE", name, what, use)
        if json and lost_json(enum.features, other.features):
            what = "features.json_format is no longer ALLOW"
            yield changed("ENUM_SAME_JSON_FORMAT", name, what, use)


def _values(old: Enum, new: Enum, use: Use, *, json: bool) -> Iterator[Breaking]:
    numbers, reserved_names = _reserved(new)
    ranges, reserved = Ranges(numbers), set(reserved_names)
    after = _by_number(new)
    for number, names in sorted(_by_number(old).items()):
        element = f"{old.name}.{names[0]}"
        if number not in after:
            if number not in ranges:
                what = f"value {number} was removed without reserving its number"
                yield removed("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", element, what, use)
            if json and not reserved.issuperset(names):
                what = f"value {number} was removed without reserving its name"
                yield removed("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", element, what, use)
        elif json and not set(names) <= set(after[number]):
            what = f"value {number} was renamed to {after[number][0]}"
            yield changed("ENUM_VALUE_SAME_NAME", element, what, use)


def _by_number(enum: Enum) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for value in enum.proto.value:
        found[value.number].append(value.name)
    return found


def _reserved(enum: Enum) -> tuple[list[Range], Collection[str]]:
    """Returns reserved numbers and names; the end of a range is inclusive."""
    return [(each.start, each.end) for each in enum.proto.reserved_range], enum.proto.reserved_name
