"""What a reconciliation says about a descriptor."""

import pytest

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.model import Summary
from grpc_operator.reconcile import service_conditions

MOST = limits.DESCRIPTOR_BYTES.value


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (MOST * 9 // 10, Reason.RESOLVED_REFS),
        (MOST * 9 // 10 + 1, Reason.DESCRIPTOR_NEAR_LIMIT),
        (MOST, Reason.DESCRIPTOR_NEAR_LIMIT),
    ],
)
def test_a_descriptor_that_nearly_reaches_the_limit_is_reported(size: int, reason: Reason) -> None:
    """From 90% on, before it is refused."""
    resolved = service_conditions.resolved(Summary("", size))

    assert (resolved.status, resolved.reason) == ("True", reason)
    assert str(size) in resolved.message
