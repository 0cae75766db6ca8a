"""EndpointSlices: who takes calls, and who is only let finish."""

from typing import Any

import pytest

from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.ir import Endpoint


def slice_of(*entries: dict[str, Any], family: str = "IPv4", port: int = 50051) -> dict[str, Any]:
    ports = [{"name": "metrics", "port": 9090}, {"name": "grpc", "port": port}]
    return {"addressType": family, "ports": ports, "endpoints": list(entries)}


def entry(address: str, **conditions: Any) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


READY = {"ready": True, "serving": True, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}


def test_ready_ones_serve_and_leaving_ones_drain() -> None:
    """What is neither is left out."""
    found = endpoints(
        [
            slice_of(
                {**entry("10.0.0.2", **READY), "zone": "b"},
                entry("10.0.0.1", **LEAVING),
                entry("10.0.0.3", ready=False, serving=False, terminating=True),
                entry("10.0.0.4", ready=False, serving=True, terminating=False),
            )
        ]
    )

    assert found == (
        Endpoint("10.0.0.1", 50051, draining=True),
        Endpoint("10.0.0.2", 50051, zone="b"),
    )


def test_when_all_leave_they_still_serve() -> None:
    """Better than nobody (KEP-1669)."""
    assert endpoints([slice_of(entry("10.0.0.1", **LEAVING))]) == (Endpoint("10.0.0.1", 50051),)


@pytest.mark.parametrize("conditions", [{}, {"ready": None}])
def test_unknown_is_ready(conditions: dict[str, None]) -> None:
    """As the API says."""
    assert endpoints([slice_of(entry("10.0.0.1", **conditions))]) == (Endpoint("10.0.0.1", 50051),)


def test_both_families_sorted_and_each_once() -> None:
    """A pod may be in two slices while it is moved between them."""
    slices = [
        slice_of(entry("fd00::1", **READY), family="IPv6"),
        slice_of(entry("10.0.0.1", **LEAVING)),
        slice_of(entry("10.0.0.1", **READY)),
        slice_of(entry("example.com", **READY), family="FQDN"),
    ]

    assert endpoints(slices) == (Endpoint("10.0.0.1", 50051), Endpoint("fd00::1", 50051))
    assert endpoints(reversed(slices)) == endpoints(slices)


@pytest.mark.parametrize("empty", [{}, {"addressType": "IPv4", "ports": None, "endpoints": None}])
def test_an_empty_slice_has_none(empty: dict[str, Any]) -> None:
    """The controller leaves fields out."""
    assert endpoints([empty]) == ()
