"""Calls of revisions: sums over proxies, differences over time."""

from typing import Any

import pytest

from grpc_operator.rollout.calls import MethodCalls, RevisionCalls, method_name
from grpc_operator.rollout.counting import Counting

FAILURES = frozenset({2, 13, 14})


def calls(**given: Any) -> RevisionCalls:
    """Returns calls of a revision with one method."""
    return RevisionCalls(**{"ok": 90, "failed": 10, "in_flight": 3, **given})


def test_calls_of_several_proxies_are_added() -> None:
    one = calls(methods={"a/Get": MethodCalls({0: 5, 13: 1}, {10.0: 6})})
    other = calls(methods={"a/Get": MethodCalls({0: 1, 5: 2}), "a/Put": MethodCalls({0: 1})})
    both = one + other
    assert (both.ok, both.failed, both.attempts, both.in_flight) == (180, 20, 200, 6)
    assert both.methods["a/Get"] == MethodCalls({0: 6, 13: 1, 5: 2}, {10.0: 6})
    assert both.methods["a/Put"].total == 1


def test_calls_in_flight_are_unknown_when_one_proxy_does_not_say() -> None:
    assert (calls() + calls(in_flight=None)).in_flight is None


def test_a_difference_has_what_was_added_and_is_never_negative() -> None:
    before = calls(failed=20, methods={"a/Get": MethodCalls({0: 5, 13: 4}, {10.0: 9})})
    now = calls(ok=95, methods={"a/Get": MethodCalls({0: 9, 13: 1}, {10.0: 11, 20.0: 1})})
    added = now.since(before)
    assert (added.ok, added.failed, added.in_flight) == (5, 0, 3)
    assert added.methods["a/Get"] == MethodCalls({0: 4}, {10.0: 2, 20.0: 1})


def test_only_the_given_codes_are_failures() -> None:
    found = MethodCalls({0: 90, 5: 4, 13: 5, 14: 1})
    assert (found.total, found.failed(FAILURES)) == (100, 6)


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 10.0), (90, 10.0), (95, 20.0), (99, 500.0), (100, 500.0)]
)
def test_a_percentile_is_the_time_in_which_so_many_calls_had_ended(
    percent: float, expected: float
) -> None:
    found = MethodCalls({}, {20.0: 8, 10.0: 90, 500.0: 2})
    assert found.milliseconds(percent) == expected


def test_there_is_no_percentile_of_no_calls() -> None:
    assert MethodCalls({0: 7}, {10.0: 0}).milliseconds(95) is None


def test_methods_are_named_as_envoy_names_them() -> None:
    assert method_name("user.v1.UserService", "GetUser") == "user.v1.UserService/GetUser"


def test_what_was_counted_before_the_first_reading_does_not_count() -> None:
    counting: Counting[str] = Counting(10)
    counting.read("proxy-0", {"ok": 100})
    assert counting.sums == {}
    counting.read("proxy-0", {"ok": 103, "failed": 2})
    assert counting.sums == {"ok": 3, "failed": 2}


def test_a_proxy_that_restarts_begins_at_zero_and_loses_nothing() -> None:
    counting: Counting[str] = Counting(10)
    for value in (0, 50, 60, 7, 8):
        counting.read("proxy-0", {"ok": value})
    assert counting.sums == {"ok": 68}


def test_what_a_source_no_longer_says_stays_counted_and_counts_once() -> None:
    """A series that Envoy leaves out, a proxy that is listed by another replica."""
    counting: Counting[str] = Counting(10)
    counting.read("replica-1", {})
    counting.read("replica-1", {"ok": 5})
    counting.read("replica-1", {})
    counting.read("replica-1", {"ok": 6})
    assert counting.sums == {"ok": 6}
    counting.keep_only({"replica-2"})
    counting.read("replica-1", {"ok": 6})
    assert counting.sums == {"ok": 6}


def test_names_that_a_source_makes_up_are_bounded() -> None:
    counting: Counting[str] = Counting(3)
    counting.read("proxy-0", {})
    for each in range(100):
        counting.read("proxy-0", {f"{each}-{other}": 1 for other in range(100)})
    assert len(counting.sums) == 3
    counting.read("proxy-0", {"0-0": 2})
    assert counting.sums["0-0"] == 2
