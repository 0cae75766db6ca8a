"""Each reason has a next step."""

import pytest

from grpc_operator.api.reasons import Reason
from grpc_operator.cli.live import fixes

GOOD = {
    Reason.ACCEPTED,
    Reason.RESOLVED_REFS,
    Reason.DESCRIPTOR_NEAR_LIMIT,
    Reason.SCHEMA_COMPATIBLE,
    Reason.PROGRAMMED,
    Reason.READY,
    Reason.SCALED_TO_ZERO,
    Reason.ROLLOUT_STARTED,
    Reason.ROLLOUT_COMPLETE,
}
"""Reasons of conditions that are as they should be."""

DEFAULT = fixes.of("NobodyKnowsIt", "users -n shop", "grpcop")


@pytest.mark.parametrize("reason", sorted(set(Reason) - GOOD))
def test_every_reason_has_a_fix_of_its_own(reason: Reason) -> None:
    """Arguments are filled in; it is one or two sentences or a command."""
    found = fixes.of(reason, "users -n shop", "kubectl grpc")

    assert reason in fixes.FIXES
    assert "{" not in found
    assert "grpcop" not in found


def test_a_reason_of_kubernetes_that_nobody_foresaw() -> None:
    """Pods and Events say more."""
    assert DEFAULT == "See the pods and their Events: grpcop describe users -n shop"
