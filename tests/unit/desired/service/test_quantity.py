"""Quantities: equal amounts, and where they stand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.desired.common import quantity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1.", "1"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1k", "1000"),
        ("1e3", "1k"),
        ("1E3", "1k"),
        ("1E", "1e18"),
        ("1e-3", "1m"),
        ("-1000m", "-1"),
        ("+1", "1"),
        (2, "2"),
        (0.5, "500m"),
        ("1500000u", "1.5"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("0", "0m"),
    ],
)
def test_the_same_amount(one: Any, other: Any) -> None:
    """Spelling does not matter, in either order."""
    assert quantity.equal(one, other)
    assert quantity.equal(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1m"),
        ("1M", "1Mi"),
        ("1k", "1Ki"),
        ("1", "-1"),
        ("", ""),
        ("many", "many"),
        ("1 Gi", "1Gi"),
        ("1kk", "1000k"),
        ("1e9999", "1e9999"),
        (True, 1),
        (None, None),
        ("1", None),
    ],
)
def test_another_amount_or_none_at_all(one: Any, other: Any) -> None:
    """What is no quantity equals none, whatever it looks like."""
    assert not quantity.equal(one, other)


@given(st.integers(0, 10**15))
def test_units_are_consistent(amount: int) -> None:
    """A unit is exactly a thousand, or 1024, of the next smaller one."""
    assert quantity.equal(f"{amount}", f"{amount * 1000}m")
    assert quantity.equal(f"{amount}Gi", f"{amount * 1024}Mi")
    assert not quantity.equal(f"{amount}m", f"{amount + 1}m")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.template.spec.containers.resources.limits.cpu", True),
        ("spec.template.spec.resources.requests.memory", True),
        ("spec.template.spec.volumes.emptyDir.sizeLimit", True),
        ("env.valueFrom.resourceFieldRef.divisor", True),
        ("spec.template.spec.overhead.cpu", True),
        ("spec.metrics.pods.target.averageValue", True),
        ("spec.metrics.object.target.value", True),
        ("spec.template.spec.containers.env.value", False),
        ("spec.template.metadata.annotations.cpu", False),
        ("spec.template.spec.containers.resources.claims.name", False),
        ("spec.behavior.scaleDown.policies.value", False),
        ("spec.metrics.resource.target.averageUtilization", False),
    ],
)
def test_where_quantities_stand(path: str, expected: bool) -> None:  # noqa: FBT001
    """An environment variable 1000m is a text and not the number 1."""
    assert quantity.is_at(tuple(path.split("."))) is expected
