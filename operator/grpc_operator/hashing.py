"""Hashes that distinguish two versions of something, and the JSON that they are made of."""

import hashlib
import json
from typing import Any

_DIGITS = 16
"""Hex digits kept of sha256: 64 bits distinguish two versions of one object."""


def digest(data: bytes) -> str:
    """Returns the sha256 of some bytes, shortened to 16 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def canonical_json(value: Any) -> str:
    """Returns JSON that is the same for equal values: sorted keys, no spaces, plain UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
