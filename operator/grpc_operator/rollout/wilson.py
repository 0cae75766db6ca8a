"""Bounds of a ratio that was estimated from few calls (Wilson score interval, Wilson 1927)."""

from math import sqrt


def lower(hits: int, calls: int, z: float) -> float:
    """Returns the least ratio that explains the hits; 0 without calls.

    Args:
        hits: Calls with a property, such as a failure.
        calls: All calls.
        z: Standard deviations by which chance may deviate.
    """
    return max(0.0, _center(hits, calls, z) - _width(hits, calls, z)) if calls else 0.0


def upper(hits: int, calls: int, z: float) -> float:
    """Returns the greatest ratio that explains the hits; 1 without calls."""
    return min(1.0, _center(hits, calls, z) + _width(hits, calls, z)) if calls else 1.0


def _center(hits: int, calls: int, z: float) -> float:
    return (hits + z * z / 2) / (calls + z * z)


def _width(hits: int, calls: int, z: float) -> float:
    return z / (calls + z * z) * sqrt(hits * (calls - hits) / calls + z * z / 4)
