"""Kubernetes quantities, such as ``500m`` or ``2Gi``.

Syntax and rounding: k8s.io/apimachinery, pkg/api/resource, type Quantity.
"""

import re
from fractions import Fraction
from math import ceil
from typing import Any

_NUMBER = re.compile(
    r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?"
)
_SUFFIXES = {
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("num", start=-3)},
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


def amount(value: Any) -> Fraction | None:
    """Returns the exact value of a quantity; ``None`` when it is not one."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _NUMBER.fullmatch(str(value))
    if match is None:
        return None
    sign, digits, exponent, suffix = match.groups()
    scale = Fraction(10) ** int(exponent) if exponent else _SUFFIXES.get(suffix, Fraction(1))
    number = Fraction(digits) * scale
    return -number if sign == "-" else number


def ceiling(value: Any) -> int | None:
    """Returns a quantity rounded up to a whole number; ``None`` when it is not a quantity."""
    exact = amount(value)
    return None if exact is None else ceil(exact)
