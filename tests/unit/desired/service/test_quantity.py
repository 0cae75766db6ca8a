"""Quantities rounded up to whole numbers, as for the number of Envoy's worker threads."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.desired.common import quantity


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("1000m", 1),
        ("0.5", 1),
        (".5", 1),
        ("1.", 1),
        ("1Gi", 1024**3),
        ("1k", 1000),
        ("1e3", 1000),
        ("1E", 10**18),
        ("1e-3", 1),
        ("-1500m", -1),
        ("+2", 2),
        (2, 2),
        (0.5, 1),
        ("0", 0),
        ("0m", 0),
    ],
)
def test_every_spelling_is_read(value: Any, rounded: int) -> None:
    """As Kubernetes reads it (type Quantity)."""
    assert quantity.ceiling(value) == rounded


@pytest.mark.parametrize("value", ["", "many", "1 Gi", "1kk", "1e9999", True, None, [], {}])
def test_anything_else_is_not_a_quantity(value: Any) -> None:
    """The API server refuses it; nothing here fails because of it."""
    assert quantity.ceiling(value) is None


@given(st.integers(0, 10**15))
def test_units_are_consistent(amount: int) -> None:
    """A unit is exactly a thousand, or 1024, of the next smaller one."""
    assert quantity.ceiling(f"{amount * 1000}m") == amount
    assert quantity.ceiling(f"{amount}Gi") == quantity.ceiling(f"{amount * 1024}Mi")
