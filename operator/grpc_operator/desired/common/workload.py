"""What Deployments and pods of both kinds of owners have in common."""

from math import ceil
from typing import Any

from grpc_operator.api import GrpcGatewaySpec, GrpcServiceSpec
from grpc_operator.api.types import seconds
from grpc_operator.api.workload import Drain, RollingUpdate, Strategy
from grpc_operator.resources import Manifest

_EXIT_SECONDS = 5
"""Time between the end of the drain and SIGKILL, for the process to exit."""

_TOPOLOGY_KEYS = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def deployment_spec(
    spec: GrpcServiceSpec | GrpcGatewaySpec,
    selector: dict[str, str],
    template: Manifest,
    progress_deadline: int,
) -> dict[str, Any]:
    """Returns the spec of a Deployment. With autoscaling, ``replicas`` are the autoscaler's.

    Args:
        spec: Spec of the owner.
        selector: Immutable labels of the pods.
        template: The pod template.
        progress_deadline: Seconds without a new ready pod after which a rollout has failed.
    """
    return {
        **({} if spec.autoscaling is not None else {"replicas": spec.replicas}),
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": progress_deadline,
        "strategy": _strategy(spec.strategy),
        "selector": {"matchLabels": selector},
        "template": template,
    }


def _strategy(strategy: Strategy) -> dict[str, Any]:
    """Returns how pods are replaced.

    By default a pod leaves only when its successor is ready. The surge is a share and not one pod,
    so a rollout takes about four waves at any size; it rounds up, never to 0.
    """
    if strategy.type == "Recreate":
        return {"type": "Recreate"}
    given = strategy.rolling_update or RollingUpdate()
    numbers = {"maxUnavailable": given.max_unavailable, "maxSurge": given.max_surge}
    defaults = {"maxUnavailable": 0, "maxSurge": "25%"}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            field: defaults[field] if number is None else number
            for field, number in numbers.items()
        },
    }


def identity(account: str) -> dict[str, Any]:
    """Returns the fields of a pod that name its ServiceAccount, of which it gets no token."""
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }


def drain_and_spread(drain: Drain, selector: dict[str, str]) -> dict[str, Any]:
    """Returns the fields of a pod that say how long it drains, and how pods are spread.

    Args:
        drain: How a pod is drained.
        selector: Labels of the pods to spread.
    """
    return {
        "terminationGracePeriodSeconds": ceil(seconds(drain.delay))
        + ceil(seconds(drain.timeout))
        + _EXIT_SECONDS,
        "topologySpreadConstraints": [_spread(selector, key) for key in _TOPOLOGY_KEYS],
    }


def pod_security_context(**more: Any) -> dict[str, Any]:
    """Returns a security context under the restricted Pod Security Standard."""
    return {"runAsNonRoot": True, **more, "seccompProfile": {"type": "RuntimeDefault"}}


def container_security_context() -> dict[str, Any]:
    """Returns the container's part of the restricted Pod Security Standard."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def added_container_security_context() -> dict[str, Any]:
    """Returns the same for a container of the user's, which may write to its file system."""
    context = container_security_context()
    del context["readOnlyRootFilesystem"]
    return context


def _spread(selector: dict[str, str], topology_key: str) -> dict[str, Any]:
    """Spreads the pods of one ReplicaSet, not those of the old and the new one together.

    ``matchLabelKeys`` is on by default since Kubernetes 1.27 (KEP-3243).
    """
    return {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector},
        "matchLabelKeys": ["pod-template-hash"],
    }
