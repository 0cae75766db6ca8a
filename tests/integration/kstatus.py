"""How Flux, Helm and kpt read a status: kstatus' rules for custom resources.

After sigs.k8s.io/cli-utils, pkg/kstatus/status: ``checkGenericProperties`` comes first, then the
Ready condition; an object that says nothing at all counts as current.
"""

from typing import Literal

from grpc_operator.resources import Manifest
from tests.integration.space import condition

Result = Literal["Current", "InProgress", "Failed", "Terminating"]


def compute(live: Manifest) -> Result:
    """Returns what kstatus makes of an object."""
    metadata, status = live["metadata"], live.get("status", {})
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    if condition(live, "Reconciling").get("status") == "True":
        return "InProgress"
    if condition(live, "Stalled").get("status") == "True":
        return "Failed"
    ready = condition(live, "Ready").get("status", "True")
    return "Current" if ready == "True" else "InProgress"
