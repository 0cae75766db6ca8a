"""Whole rollouts of good and bad revisions, with the noise of real calls.

``python -m tests.unit.rollout.test_judge_simulation`` runs many more of them. The figures of
docs/adr/0043 are of the same model.
"""

import random
from collections.abc import Sequence
from math import exp, sqrt

from grpc_operator.api.rollout import Analysis
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls
from grpc_operator.rollout.judge import Sample, verdict
from grpc_operator.rollout.plan import CANARY_STEPS, hold_of

UNEVEN = (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02)
EVEN = (1 / 7,) * 7
PERIOD = 2
ANALYSIS = Analysis()
OK, NOT_FOUND, INTERNAL = 0, 5, 13


class Revision:
    """Counts the calls of a revision with seven methods.

    Args:
        errors: Ratio of the calls that fail, by method.
        code: With which they fail.
    """

    def __init__(self, errors: Sequence[float], code: int = INTERNAL) -> None:
        self._errors, self._code = errors, code
        self._failed = [0] * 7
        self._all = [0] * 7

    def serve(self, generator: random.Random, rate: float, shares: Sequence[float]) -> None:
        """Adds the calls of one period."""
        for method, share in enumerate(shares):
            calls = _poisson(generator, rate * PERIOD * share)
            self._all[method] += calls
            self._failed[method] += _binomial(generator, calls, self._errors[method])

    def calls(self) -> RevisionCalls:
        """Returns what the proxies have counted."""
        failed = sum(self._failed) if self._code == INTERNAL else 0
        by_method = {
            f"s/{method}": MethodCalls({OK: all_ - bad, self._code: bad})
            for method, (all_, bad) in enumerate(zip(self._all, self._failed, strict=True))
        }
        return RevisionCalls(sum(self._all) - failed, failed, 0, by_method)


def is_rolled_back(seed: int, rate: float, candidate: Revision, stable: Revision) -> bool:
    """Whether a rollout by the default steps ends early.

    Args:
        seed: Of the calls.
        rate: Calls per second of both revisions together.
        candidate: The new revision.
        stable: The one before.
    """
    generator = random.Random(seed)  # noqa: S311 - a simulation
    for step in CANARY_STEPS:
        before = candidate.calls(), stable.calls()
        for _ in range(round(hold_of(step) / PERIOD)):
            candidate.serve(generator, rate * step.weight / 100, UNEVEN)
            stable.serve(generator, rate * (1 - step.weight / 100), UNEVEN)
            now = candidate.calls().since(before[0]), stable.calls().since(before[1])
            if verdict(ANALYSIS, Sample(*now, stable.calls())) is not None:
                return True
    return False


def evaluations(seed: int, rate: float) -> int:
    """Returns how many evaluations after the 100th call find a method that fails half its calls."""
    generator = random.Random(seed)  # noqa: S311 - a simulation
    base = [0.005] * 7
    candidate, stable = Revision([0.5, *base[1:]]), Revision(base)
    count = 0
    while True:
        candidate.serve(generator, rate * 0.05, EVEN)
        stable.serve(generator, rate * 0.95, EVEN)
        calls = candidate.calls()
        count += sum(each.total for each in calls.methods.values()) >= ANALYSIS.min_calls
        if verdict(ANALYSIS, Sample(calls, stable.calls())) is not None:
            return count


def good(seed: int, errors: float, rate: float) -> bool:
    """Whether a revision that is as good as the stable one is rolled back."""
    return is_rolled_back(seed, rate, Revision([errors] * 7), Revision([errors] * 7))


def test_good_revisions_stay() -> None:
    """None of these rollouts, with 360 evaluations each; at most one of a hundred may."""
    assert not any(
        good(seed, errors, rate)
        for seed in range(4)
        for errors in (0.005, 0.03)
        for rate in (20, 500)
    )


def test_bad_method_is_found_by_the_first_evaluations() -> None:
    """One of seven, which fails half of its calls, at 5% of 1000 calls a second."""
    found = [evaluations(seed, 1000) for seed in range(200)]
    assert max(found) <= 2
    assert found.count(1) >= 190


def test_flood_of_errors_of_clients_is_no_failure() -> None:
    bad, usual = [0.9] * 7, [0.005] * 7
    assert not any(
        is_rolled_back(seed, 100, Revision(bad, NOT_FOUND), Revision(usual)) for seed in range(5)
    )


def test_users_see_no_more_than_weight_times_ratio_times_time() -> None:
    """A revision of which half of all calls fail, at 5%, is found within 10 s of its 100th call."""
    generator = random.Random(1)  # noqa: S311 - a simulation
    rate = 100.0
    candidate, stable = Revision([0.5] * 7), Revision([0.005] * 7)
    seconds = 0
    while verdict(ANALYSIS, Sample(candidate.calls(), stable.calls())) is None:
        candidate.serve(generator, rate * 0.05, EVEN)
        stable.serve(generator, rate * 0.95, EVEN)
        seconds += PERIOD
    assert candidate.calls().failed <= 1.5 * rate * 0.05 * 0.5 * seconds
    assert seconds <= ANALYSIS.min_calls / (rate * 0.05) + 10


def _poisson(generator: random.Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(generator.gauss(mean, sqrt(mean))))
    count, left = 0, generator.random()
    while left > exp(-mean):
        count += 1
        left *= generator.random()
    return count


def _binomial(generator: random.Random, calls: int, ratio: float) -> int:
    if calls * ratio > 30 and calls * (1 - ratio) > 30:
        return round(generator.gauss(calls * ratio, sqrt(calls * ratio * (1 - ratio))))
    if calls > 200:
        return min(calls, _poisson(generator, calls * ratio))
    return sum(generator.random() < ratio for _ in range(calls))


def _measure() -> None:
    for errors in (0.005, 0.03):
        for rate in (20, 500):
            wrong = sum(good(seed, errors, rate) for seed in range(500))
            print(f"{errors:.1%} of {rate}/s fail: {wrong} of 500 rolled back")  # noqa: T201
    for rate in (200, 1000):
        found = [evaluations(seed, rate) for seed in range(5000)]
        shares = [sum(each <= most for each in found) / len(found) for most in (1, 2, 3)]
        print(f"a bad method at {rate * 0.05:g}/s is found by 1, 2, 3 evaluations: {shares}")  # noqa: T201


if __name__ == "__main__":
    _measure()
