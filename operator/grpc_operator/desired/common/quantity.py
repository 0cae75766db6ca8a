"""Kubernetes quantities: where they stand in a manifest, and which ones are equal.

Syntax and rounding: k8s.io/apimachinery, pkg/api/resource, type Quantity.
"""

import re
from fractions import Fraction
from math import ceil
from typing import Any

Fields = tuple[str, ...]
"""Map keys from the root of a manifest down to a value; list items add none."""

_NUMBER = re.compile(
    r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?"
)
_SUFFIXES = {
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("num", start=-3)},
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_NANO = Fraction(1, 10**9)

_FIELDS = {
    ("emptyDir", "sizeLimit"),
    ("resourceFieldRef", "divisor"),
    ("scaleDown", "tolerance"),
    ("scaleUp", "tolerance"),
    ("target", "averageValue"),
    ("target", "value"),
}
_MAPS = {("resources", "limits"), ("resources", "requests"), ("spec", "overhead")}


def is_at(fields: Fields) -> bool:
    """Returns whether the value at this place of a manifest is a quantity."""
    return fields[-2:] in _FIELDS or fields[-3:-1] in _MAPS


def equal(one: Any, other: Any) -> bool:
    """Returns whether two quantities are the same amount, such as ``1000m`` and ``1``."""
    left, right = _parse(one), _parse(other)
    return left is not None and left == right


def ceiling(value: Any) -> int | None:
    """Returns a quantity rounded up to a whole number, or None when it is no quantity."""
    amount = _parse(value)
    return None if amount is None else ceil(amount)


def as_strings(value: Any, fields: Fields = ()) -> Any:
    """Returns a fresh copy in which quantities written as numbers are strings.

    Kubernetes declares Quantity a string and writes it back as one.

    Args:
        value: A manifest or a part of one.
        fields: Where the part stands in its manifest.
    """
    if isinstance(value, dict):
        return {key: as_strings(child, (*fields, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [as_strings(child, fields) for child in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and is_at(fields):
        return str(value)
    return value


def _parse(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _NUMBER.fullmatch(str(value))
    if match is None:
        return None
    sign, digits, exponent, suffix = match.groups()
    scale = Fraction(10) ** int(exponent) if exponent else _SUFFIXES.get(suffix, Fraction(1))
    # The API server keeps nothing finer than a nano-unit and rounds away from zero.
    amount = ceil(Fraction(digits) * scale / _NANO) * _NANO
    return -amount if sign == "-" else amount
