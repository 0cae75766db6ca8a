"""What a revision is judged by."""

from typing import Any

import pytest

from grpc_operator.api.rollout import Analysis
from grpc_operator.rollout import judge, wilson
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls, method_name
from grpc_operator.rollout.facts import Method
from grpc_operator.rollout.judge import Sample, verdict

ANALYSIS = Analysis()
METHODS = (
    Method("user.v1.UserService", "GetUser", is_unary=True),
    Method("user.v1.UserService", "Watch", is_unary=False),
)
GET, WATCH = (method_name(each.service, each.name) for each in METHODS)
OK, NOT_FOUND, INVALID_ARGUMENT, INTERNAL, UNIMPLEMENTED = 0, 5, 3, 13, 12


def revision(by_code: dict[int, int], method: str = GET, **fields: Any) -> RevisionCalls:
    """Returns the calls of one method."""
    return RevisionCalls(methods={method: MethodCalls(by_code)}, **fields)


def timed(milliseconds: dict[float, int], method: str = GET) -> RevisionCalls:
    """Returns successful calls of one method that took some time."""
    total = sum(milliseconds.values())
    return RevisionCalls(methods={method: MethodCalls({OK: total}, milliseconds)})


def test_bounds_are_those_of_wilson() -> None:
    """Figures of the original formula, by hand: 10 of 100 with z = 1.96 is 5.5% to 17.4%."""
    assert wilson.lower(10, 100, 1.96) == pytest.approx(0.0552, abs=1e-4)
    assert wilson.upper(10, 100, 1.96) == pytest.approx(0.1744, abs=1e-4)
    assert (wilson.lower(0, 100, 3), wilson.upper(100, 100, 3)) == (0, 1)
    assert (wilson.lower(0, 0, 3), wilson.upper(0, 0, 3)) == (0, 1)


def test_verdict_has_the_figures_in_words() -> None:
    sample = Sample(revision({OK: 52, INTERNAL: 52}), revision({OK: 937, INTERNAL: 3}))
    found = verdict(ANALYSIS, sample, METHODS)
    assert found is not None
    assert found.message == (
        "user.v1.UserService/GetUser failed 52 of 104 calls (INTERNAL 52); stable 3 of 940"
    )
    assert (found.calls, found.errors, found.stable_calls, found.stable_errors) == (104, 52, 940, 3)


@pytest.mark.parametrize("code", [NOT_FOUND, INVALID_ARGUMENT])
def test_errors_of_the_client_do_not_count(code: int) -> None:
    sample = Sample(revision({OK: 1, code: 10_000}, ok=10_001), revision({OK: 10_000}, ok=10_000))
    assert verdict(ANALYSIS, sample, METHODS) is None


def test_codes_are_those_of_the_spec() -> None:
    sample = Sample(revision({OK: 100, NOT_FOUND: 100}), revision({OK: 10_000}))
    assert verdict(Analysis(error_codes=["NOT_FOUND"]), sample, METHODS) is not None
    unimplemented = Sample(
        revision({OK: 100, UNIMPLEMENTED: 100}, ok=100, failed=100), revision({OK: 10_000})
    )
    assert verdict(ANALYSIS, unimplemented, METHODS) is not None
    assert verdict(Analysis(error_codes=["INTERNAL"]), unimplemented, METHODS) is None


def test_same_failures_of_the_stable_revision_excuse() -> None:
    """A database that both need is away."""
    sample = Sample(
        revision({OK: 400, INTERNAL: 600}, ok=400, failed=600),
        revision({OK: 4000, INTERNAL: 6000}, ok=4000, failed=6000),
    )
    assert verdict(ANALYSIS, sample, METHODS) is None


def test_nothing_is_decided_before_there_are_enough_calls() -> None:
    stable = revision({OK: 10_000})
    assert verdict(ANALYSIS, Sample(revision({INTERNAL: 99}), stable)) is None
    assert verdict(ANALYSIS, Sample(revision({INTERNAL: 100}), stable)) is not None
    assert verdict(Analysis(min_calls=5), Sample(revision({INTERNAL: 5}), stable)) is not None


def test_two_failures_are_no_ratio() -> None:
    stable, soon = revision({OK: 10_000}), Analysis(min_calls=1)
    assert verdict(soon, Sample(revision({INTERNAL: 2}), stable)) is None
    assert verdict(soon, Sample(revision({INTERNAL: 3}), stable)) is not None


def test_retries_do_not_hide_failures() -> None:
    """Every call succeeds at last, but half of the attempts fail."""
    sample = Sample(
        revision({OK: 500}, ok=500, failed=489), revision({OK: 5000}, ok=5000, failed=2)
    )
    found = verdict(ANALYSIS, sample, METHODS)
    assert found is not None
    assert (found.method, found.message) == (
        None,
        "The revision failed 489 of 989 attempts of all methods; stable 2 of 5002",
    )


def test_stable_revision_without_calls_is_compared_by_those_before() -> None:
    """At 100% the stable revision has none."""
    bad = revision({OK: 900, INTERNAL: 100})
    assert verdict(ANALYSIS, Sample(bad, judge.NONE)) is not None
    assert verdict(ANALYSIS, Sample(bad, judge.NONE, revision({OK: 9000, INTERNAL: 1}))) is not None
    as_bad = revision({OK: 9000, INTERNAL: 1000})
    assert verdict(ANALYSIS, Sample(bad, judge.NONE, as_bad)) is None


def test_unary_methods_are_judged_by_latency() -> None:
    stable = timed({10.0: 900, 20.0: 90, 50.0: 10})
    slow = timed({10.0: 100, 200.0: 100})
    found = verdict(ANALYSIS, Sample(slow, stable), METHODS)
    assert found is not None
    assert found.message == (
        "user.v1.UserService/GetUser took 200 ms (95th percentile of 200 calls); stable 20 ms of"
        " 1000 calls"
    )
    assert (found.latency_ms, found.stable_latency_ms, found.code) == (200, 20, None)
    assert verdict(ANALYSIS, Sample(slow, stable, is_timed=False), METHODS) is None
    assert verdict(Analysis(max_latency_increase_percent=2000), Sample(slow, stable), METHODS) is (
        None
    )


@pytest.mark.parametrize(
    ("candidate", "stable"),
    [
        (timed({10.0: 185, 200.0: 15}), timed({10.0: 900, 20.0: 90, 50.0: 10})),  # chance
        (timed({1.0: 100, 4.0: 100}), timed({1.0: 1000})),  # noise of the network
        (timed({200.0: 99}), timed({10.0: 1000})),  # too few calls
        (timed({200.0: 200}), timed({10.0: 99})),
        (timed({200.0: 200}, WATCH), timed({10.0: 1000}, WATCH)),  # streams last as long as they do
    ],
)
def test_latency_that_says_nothing(candidate: RevisionCalls, stable: RevisionCalls) -> None:
    assert verdict(ANALYSIS, Sample(candidate, stable), METHODS) is None
