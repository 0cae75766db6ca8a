"""The condition SchemaCompatible: what breaks, whom, and how to allow it."""

import pytest

from grpc_operator import limits
from grpc_operator.api.rollout import SchemaCheck
from grpc_operator.descriptor.compat import Breaking, Verdict
from grpc_operator.status import conditions, schema_compatible
from grpc_operator.status.observed import ConditionResult
from tests.unit.status import observed

RPC = Breaking("RPC_NO_DELETE", "p.S.Get", "the method was removed: its callers get UNIMPLEMENTED")


def result(verdict: Verdict | None, mode: str = "Enforce") -> ConditionResult | None:
    """Returns the condition."""
    check = SchemaCheck.model_validate({"mode": mode})
    return schema_compatible.condition(check, "users", "users-1a2b3c4d", verdict)


def ready(verdict: Verdict | None, mode: str = "Enforce") -> dict[str, tuple[str, str]]:
    """Returns status and reason of the conditions of a service that is ready otherwise."""
    made = conditions.build(observed(schema=result(verdict, mode)), {}, "now")["conditions"]
    return {each["type"]: (each["status"], each["reason"]) for each in made}


def test_a_breaking_change_is_named_as_it_is_allowed() -> None:
    found = result(Verdict((RPC,), allowed=2, unused=("A:b",)))

    assert found is not None
    assert (found.status, found.reason, found.stalled) == ("False", "SchemaBreaking", True)
    assert found.message == (
        'users-1a2b3c4d breaks callers of users: (1) "RPC_NO_DELETE:p.S.Get": the method was'
        " removed: its callers get UNIMPLEMENTED. users-1a2b3c4d gets no calls. To allow a change,"
        " add its name in quotes to spec.rollout.schema.allow. spec.rollout.schema.allow allows 2"
        ' breaking changes. Entries of spec.rollout.schema.allow that match nothing: "A:b"'
    )


def test_a_compatible_revision_is_said_to_be() -> None:
    found = result(Verdict(allowed=1))

    assert found is not None
    assert (found.status, found.reason, found.stalled) == ("True", "SchemaCompatible", False)
    assert found.message == (
        "users-1a2b3c4d breaks no caller of users. spec.rollout.schema.allow allows 1 breaking"
        " change"
    )


@pytest.mark.parametrize(
    ("mode", "verdict", "passed", "condition", "stalled"),
    [
        ("Enforce", Verdict((RPC,)), False, ("False", "SchemaBreaking"), "True"),
        ("Enforce", Verdict(), True, ("True", "SchemaCompatible"), "False"),
        ("Enforce", None, None, ("Unknown", "SchemaUnknown"), "False"),
        ("Warn", Verdict((RPC,)), True, ("False", "SchemaBreaking"), "False"),
        ("Warn", None, True, ("Unknown", "SchemaUnknown"), "False"),
        ("Disabled", Verdict((RPC,)), True, None, "False"),
    ],
)
def test_only_enforce_keeps_calls_from_a_revision(
    mode: str,
    verdict: Verdict | None,
    passed: bool | None,  # noqa: FBT001 - a case
    condition: tuple[str, str] | None,
    stalled: str,
) -> None:
    found = ready(verdict, mode)

    assert (
        schema_compatible.is_passed(SchemaCheck.model_validate({"mode": mode}), verdict) is passed
    )
    assert found.get("SchemaCompatible") == condition
    assert found["Stalled"][0] == stalled
    assert (found["Ready"][0] == "False") == (stalled == "True")


def test_very_many_long_ones_are_cut_short() -> None:
    """The author of a server writes them; the status must stay small."""
    many = tuple(Breaking("RULE", "e" * 5000, "m" * 5000) for _ in range(100))

    found = result(Verdict(many, is_cut=True))

    assert found is not None
    assert len(found.message) < limits.CONDITION_MESSAGE.value
    assert '(4) "RULE:*": mmm' in found.message
    assert "; and more than 96 others. " in found.message
    few = result(Verdict(many[:6], unused=tuple(f"A:{n}" for n in range(9))))
    assert few is not None
    assert "; and 2 more. " in few.message
    assert few.message.endswith('match nothing: "A:0", "A:1", "A:2", "A:3" and 5 more')
