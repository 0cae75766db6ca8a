"""What Envoy's statistics say, as it writes them, and what it would never write."""

import json
from typing import Any

import pytest

from grpc_operator.rollout import proxy_counters
from grpc_operator.rollout.proxy_counters import Series

GET = "user.v1.UserService/GetUser"
LABELS = f"envoy_cluster_name.shop/users.grpc_method.{GET}"


def written(*stats: Any) -> bytes:
    """Returns an answer."""
    return json.dumps({"stats": stats}).encode()


def counter(code: str, value: object = 1) -> dict[str, object]:
    """Returns a counter of the method GetUser."""
    return {"name": f"grpc.calls_total.{LABELS}.grpc_status.{code}", "value": value}


def histogram(*buckets: tuple[float, float, int]) -> dict[str, Any]:
    """Returns the times of the method GetUser; of each bucket lower bound, width and count."""
    totals = [{"lower_bound": low, "width": width, "count": n} for low, width, n in buckets]
    name = f"grpc.call_milliseconds.{LABELS}"
    return {"histograms": {"details": [{"name": name, "totals": totals, "intervals": []}]}}


def test_calls_are_counted_by_cluster_method_and_status() -> None:
    name = str(counter("13")["name"]).replace("shop/users", "shop/users@7f3a9c2e")
    other = {"name": name.replace(GET, "a.grpc_method.B/C"), "value": 2}
    found = proxy_counters.of_codes(written(counter("0", 7), other))
    assert found == {
        Series("shop/users", GET, 0): 7,
        Series("shop/users@7f3a9c2e", "a.grpc_method.B/C", 13): 2,
    }


def test_times_are_counted_by_their_upper_bound() -> None:
    found = proxy_counters.of_times(written(histogram((3, 0.1, 4), (120, 10, 1))))
    assert found == {
        Series("shop/users", GET, None, 3.1): 4,
        Series("shop/users", GET, None, 130.0): 1,
    }


@pytest.mark.parametrize("read", [proxy_counters.of_codes, proxy_counters.of_times])
def test_without_any_call_there_is_nothing(read: Any) -> None:
    assert read(written()) == {}


def test_without_any_time_there_is_nothing() -> None:
    """Envoy writes an empty histogram then."""
    assert proxy_counters.of_times(written({"histograms": {"details": []}})) == {}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no healthy upstream",
        b"[]",
        b"{}",
        b'{"stats": 1}',
        b"[" * 100_000,
        written(1),
        written({}),
        written(counter("0", -1)),
        written(counter("0", "1")),
        written(counter("")),
        written(counter("total")),
        written({"name": "cluster.a.b", "value": 1}),
        written({"name": f"grpc.calls_total.{LABELS}", "value": 1}),
        written({"name": f"x.grpc.calls_total.{LABELS}.grpc_status.0", "value": 1}),
    ],
)
def test_what_envoy_never_writes_is_a_value_error(answer: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        proxy_counters.of_codes(answer)


def test_open_calls_are_counted_by_cluster() -> None:
    gauge = {"name": "cluster.shop/users@7f3a9c2e.upstream_rq_active", "value": 3}

    assert proxy_counters.of_open(written(gauge)) == {"shop/users@7f3a9c2e": 3}
    for wrong in (counter("0"), gauge | {"value": -1}, {"value": 3}):
        with pytest.raises(ValueError, match="not"):
            proxy_counters.of_open(written(wrong))
