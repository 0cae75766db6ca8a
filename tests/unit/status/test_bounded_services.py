"""The list of methods in the status has a limit."""

from typing import Any

from grpc_operator import hashing, limits
from grpc_operator.api.status import ServedService
from grpc_operator.status.bounded_services import bounded


def services(count: int, methods: int, **of_last: Any) -> list[dict[str, Any]]:
    """Returns ``status.services``; the last method of each service has more fields."""
    each = {"kind": "Unary", "timeout": "15s", "rest": ["GET /v1/" + "x" * 60]}
    return [
        {
            "name": f"a.v1.Service{number}",
            "methods": [
                {"name": f"Method{index}", **each, **(of_last if index == methods - 1 else {})}
                for index in range(methods)
            ],
        }
        for number in range(count)
    ]


def size(of: list[dict[str, Any]]) -> int:
    """Returns the bytes that it takes."""
    return len(hashing.canonical_json(of))


def test_real_apis_are_listed_in_full() -> None:
    """Compute Engine has about 1000 methods."""
    given = services(100, 10)

    assert bounded(given) == given


def test_methods_are_left_out_and_counted() -> None:
    """From the last service on; every service stays."""
    given = services(200, 20)

    found = bounded(given)

    assert size(found) <= limits.STATUS_SERVICES.value < size(given)
    assert found[0] == given[0]
    assert found[-1] == {"name": "a.v1.Service199", "methods": [], "omittedMethods": 20}
    assert [each["name"] for each in found] == [each["name"] for each in given]
    assert ServedService.model_validate(found[-1]).omitted_methods == 20


def test_what_cannot_be_served_is_kept_longest() -> None:
    refused = [{"rule": "GET /v1/x", "reason": "y" * 100}]

    found = bounded(services(200, 20, refused=refused))

    assert [len(each["methods"]) for each in found][-2:] == [1, 1]
    assert found[-1]["methods"][0]["refused"] == refused
    assert found[-1]["omittedMethods"] == 19


def test_the_largest_status_is_bounded() -> None:
    """Whatever is refused, and in however many services."""
    refused = [{"rule": "r" * 256, "reason": "é" * 512}] * 16

    found = bounded(services(limits.DESCRIPTOR_SERVICES.value, 3, refused=refused))

    assert len(hashing.canonical_json(found).encode()) <= limits.STATUS_SERVICES.value
    assert found[-1]["omittedMethods"] == 3
