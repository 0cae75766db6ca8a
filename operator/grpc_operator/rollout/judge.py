"""Whether a revision is worse than the stable one, by what the proxies count.

A revision is evaluated every few seconds until its rollout ends, so a bound that chance exceeds in
one of a hundred evaluations would be exceeded in most rollouts. The bounds are those that a
simulation of whole rollouts asks for (``tests/unit/rollout/test_judge_simulation.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grpc_operator.api.rollout import Analysis
from grpc_operator.api.status import VerdictStatus
from grpc_operator.rollout import wilson
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls, method_name
from grpc_operator.rollout.codes import ATTEMPT_CODES, NAMES, numbers
from grpc_operator.rollout.facts import Method

Z = 3.5
"""Standard deviations of both bounds."""

LEAST_FAILURES = 3
"""Failures below which a ratio says nothing."""

LEAST_STABLE = 5
"""Calls of the stable revision in a step below which those since the rollout began count; if those
are fewer as well, only ``maxErrorPercent`` does."""

WARM_UP = 60.0
"""Seconds of a step before its latency is judged: the first calls of a process are slow."""

NOISE_MS = 5.0
"""Milliseconds by which a latency may always differ: less is noise of the network."""

_SLOW = 0.05
"""What is above the 95th percentile."""

NONE = RevisionCalls()
_NO_CALLS = MethodCalls()


@dataclass(frozen=True)
class Sample:
    """What is compared.

    Attributes:
        candidate: Calls of the candidate since the step began.
        stable: Those of the stable revision.
        before: Those of the stable revision since the rollout began, for steps in which it gets
            few or none.
        is_timed: Whether latency is judged already.
    """

    candidate: RevisionCalls
    stable: RevisionCalls
    before: RevisionCalls = NONE
    is_timed: bool = True


@dataclass(frozen=True)
class _Row:
    """Calls and failures of both revisions."""

    calls: int
    errors: int
    stable_calls: int
    stable_errors: int


def total(calls: RevisionCalls) -> int:
    """Returns the number of calls of a revision: attempts while no method is known."""
    counted = sum(each.total for each in calls.methods.values())
    return counted or calls.attempts


def verdict(
    analysis: Analysis, sample: Sample, methods: Sequence[Method] = ()
) -> VerdictStatus | None:
    """Returns why a candidate has failed; ``None`` as long as it has not.

    Nothing is decided before the candidate has had ``minCalls`` calls, of all methods together.

    Args:
        analysis: What its author allows.
        sample: The calls.
        methods: The methods that the gateway serves, for their names and kinds.
    """
    if total(sample.candidate) < analysis.min_calls:
        return None
    known = {method_name(each.service, each.name): each for each in methods}
    names = {name: f"{each.service}/{each.name}" for name, each in known.items()}
    for found in _failures(analysis, sample, names):
        return found
    if not sample.is_timed:
        return None
    unary = [name for name, each in known.items() if each.is_unary]
    return next(_delays(analysis, sample, unary, names), None)


def _failures(analysis: Analysis, sample: Sample, names: dict[str, str]) -> Iterator[VerdictStatus]:
    """Yields a verdict for each method that fails too often, then for all calls."""
    codes = numbers(analysis.error_codes)
    for name, calls in sorted(sample.candidate.methods.items()):
        row = _row(
            calls,
            sample.stable.methods.get(name, _NO_CALLS),
            sample.before.methods.get(name, _NO_CALLS),
            codes,
        )
        if _is_worse(row, analysis):
            yield _said(row, names.get(name, name), _by_code(calls, codes))
    if codes >= ATTEMPT_CODES:
        # Retries hide failures from the counters of methods.
        row = _attempts(sample)
    else:
        row = _row(_all(sample.candidate), _all(sample.stable), _all(sample.before), codes)
    if _is_worse(row, analysis):
        yield _said(row, None, _by_code(_all(sample.candidate), codes))


def _is_worse(row: _Row, analysis: Analysis) -> bool:
    """Whether neither chance nor what the stable revision does explains the failures."""
    if row.errors < LEAST_FAILURES:
        return False
    allowed = analysis.max_error_percent / 100
    if row.stable_calls >= LEAST_STABLE:
        allowed = max(allowed, wilson.upper(row.stable_errors, row.stable_calls, Z))
    return wilson.lower(row.errors, row.calls, Z) > allowed


def _row(
    calls: MethodCalls, stable: MethodCalls, before: MethodCalls, codes: frozenset[int]
) -> _Row:
    if stable.total < LEAST_STABLE:
        stable = before
    return _Row(calls.total, calls.failed(codes), stable.total, stable.failed(codes))


def _attempts(sample: Sample) -> _Row:
    stable = sample.stable if sample.stable.attempts >= LEAST_STABLE else sample.before
    candidate = sample.candidate
    return _Row(candidate.attempts, candidate.failed, stable.attempts, stable.failed)


def _all(calls: RevisionCalls) -> MethodCalls:
    """Returns the calls of all methods."""
    return sum(calls.methods.values(), _NO_CALLS)


def _by_code(calls: MethodCalls, codes: frozenset[int]) -> list[tuple[str, int]]:
    """Returns how often calls failed by each code, the most frequent first."""
    found = [(NAMES[code], count) for code, count in calls.by_code.items() if code in codes]
    return sorted((each for each in found if each[1]), key=lambda each: (-each[1], each[0]))


def _said(row: _Row, method: str | None, by_code: list[tuple[str, int]]) -> VerdictStatus:
    of = "calls" if method is not None else "attempts of all methods"
    which = ", ".join(f"{code} {count}" for code, count in by_code[:3])
    text = f"{method or 'The revision'} failed {row.errors} of {row.calls} {of}"
    text += f" ({which})" if which else ""
    return VerdictStatus(
        method=method,
        code=by_code[0][0] if by_code else None,
        calls=row.calls,
        errors=row.errors,
        stable_calls=row.stable_calls,
        stable_errors=row.stable_errors,
        message=f"{text}; stable {row.stable_errors} of {row.stable_calls}",
    )


def _delays(
    analysis: Analysis, sample: Sample, unary: list[str], names: dict[str, str]
) -> Iterator[VerdictStatus]:
    """Yields a verdict for each unary method that takes too long."""
    for name in sorted(unary):
        calls = sample.candidate.methods.get(name, _NO_CALLS)
        stable = sample.stable.methods.get(name, _NO_CALLS)
        if stable.timed < analysis.min_calls:
            stable = sample.before.methods.get(name, _NO_CALLS)
        if calls.timed < analysis.min_calls or stable.timed < analysis.min_calls:
            continue
        found = _delay(analysis, calls, stable, names[name])
        if found is not None:
            yield found


def _delay(
    analysis: Analysis, calls: MethodCalls, stable: MethodCalls, name: str
) -> VerdictStatus | None:
    """Returns a verdict if more calls are slow than chance explains.

    That the 95th percentile is higher means that more than 5% of the calls are slower than it. The
    percentile of the stable revision is itself an estimate: its upper bound is taken.
    """
    highest = wilson.upper(round(stable.timed * (1 - _SLOW)), stable.timed, Z) * 100
    of_stable = stable.milliseconds(highest)
    usual, now = stable.milliseconds(95), calls.milliseconds(95)
    if of_stable is None or usual is None or now is None:
        return None
    factor = 1 + analysis.max_latency_increase_percent / 100
    most = max(of_stable * factor, of_stable + NOISE_MS)
    slow = sum(count for bound, count in calls.by_milliseconds.items() if bound > most)
    if wilson.lower(slow, calls.timed, Z) <= _SLOW:
        return None
    return VerdictStatus(
        method=name,
        calls=calls.timed,
        stable_calls=stable.timed,
        latency_ms=round(now),
        stable_latency_ms=round(usual),
        message=(
            f"{name} took {now:g} ms (95th percentile of {calls.timed} calls); stable {usual:g} ms"
            f" of {stable.timed} calls"
        ),
    )
