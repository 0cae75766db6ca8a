"""The condition SchemaCompatible: whether a new revision breaks callers of the stable one."""

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.api.rollout import SchemaCheck
from grpc_operator.descriptor.compat import Breaking, Verdict
from grpc_operator.status.observed import ConditionResult

_MOST_NAMED = 4
_LONGEST_NAMED = 256
_FIELD = "spec.rollout.schema.allow"


def condition(
    check: SchemaCheck, stable: str, candidate: str, verdict: Verdict | None
) -> ConditionResult | None:
    """Returns SchemaCompatible; ``None`` when nothing is to be compared.

    Args:
        check: ``spec.rollout.schema``.
        stable: The revision that callers know.
        candidate: The revision that is to replace it.
        verdict: ``None`` while the descriptor of one of them is not known.
    """
    if check.mode == "Disabled":
        return None
    if verdict is None:
        text = f"The descriptors of {stable} and {candidate} are not both known yet"
        return ConditionResult("Unknown", Reason.SCHEMA_UNKNOWN, text)
    if not verdict.findings:
        text = f"{candidate} breaks no caller of {stable}{_remarks(verdict)}"
        return ConditionResult("True", Reason.SCHEMA_COMPATIBLE, text)
    is_enforced = check.mode == "Enforce"
    effect = f"{candidate} gets no calls" if is_enforced else "The rollout goes on"
    text = (
        f"{candidate} breaks callers of {stable}: {_listed(verdict)}. {effect}. To allow a change,"
        f" add its name in quotes to {_FIELD}{_remarks(verdict)}"
    )
    return ConditionResult("False", Reason.SCHEMA_BREAKING, text, stalled=is_enforced)


def is_passed(check: SchemaCheck, verdict: Verdict | None) -> bool | None:
    """Returns whether a candidate may get calls; ``None`` while that is not known.

    Args:
        check: ``spec.rollout.schema``.
        verdict: As for ``condition``.
    """
    if check.mode != "Enforce":
        return True
    return None if verdict is None else not verdict.findings


def _listed(verdict: Verdict) -> str:
    found = verdict.findings
    some = "; ".join(f"({n}) {_named(each)}" for n, each in enumerate(found[:_MOST_NAMED], 1))
    more = len(found) - _MOST_NAMED
    if verdict.is_cut:
        return f"{some}; and more than {limits.SCHEMA_FINDINGS.value - _MOST_NAMED} others"
    return some + (f"; and {more} more" if more > 0 else "")


def _named(found: Breaking) -> str:
    text = found.message
    cut = text if len(text) <= _LONGEST_NAMED else f"{text[: _LONGEST_NAMED - 1]}…"
    return f'"{found.entry}": {cut}'


def _remarks(verdict: Verdict) -> str:
    text = ""
    if verdict.allowed:
        text += f". {_FIELD} allows {verdict.allowed} breaking change{'s' * (verdict.allowed > 1)}"
    if verdict.unused:
        some = ", ".join(f'"{each}"' for each in verdict.unused[:_MOST_NAMED])
        more = len(verdict.unused) - _MOST_NAMED
        text += f". Entries of {_FIELD} that match nothing: {some}"
        text += f" and {more} more" if more > 0 else ""
    return text
