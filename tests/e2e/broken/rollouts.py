"""Rollouts of services that were ready, which do not go on, and a gateway that does not exist."""

from dataclasses import dataclass

from grpc_operator.resources import Manifest
from tests.e2e.broken.base import NAMESPACE, Broken, Spec, container, manifest, volume
from tests.e2e.broken.containers import claim


@dataclass(frozen=True)
class Stuck(Broken):
    """A service that is ready at first.

    Attributes:
        change: What is merged into the Deployment before the rollout.
    """

    change: Spec | None = None


_VOLUME: Manifest = {
    "capacity": {"storage": "1Gi"},
    "accessModes": ["ReadWriteOncePod"],
    "storageClassName": "one-pod",
    "hostPath": {"path": "/tmp/one-pod", "type": "DirectoryOrCreate"},  # noqa: S108 - of the node
    "claimRef": {"namespace": NAMESPACE, "name": "one-pod"},
}
_HAS_IT = ("has it", "spec.strategy")

ROLLOUTS = (
    Stuck("paused", {}, "DeploymentPaused", ("rollout resume",), change={"paused": True}),
    Stuck(
        "volume-of-one-pod",
        volume(persistentVolumeClaim={"claimName": "one-pod"}),
        "Unschedulable",
        ("ReadWriteOncePod", *_HAS_IT),
        (
            manifest("v1", "PersistentVolume", "one-pod", spec=_VOLUME),
            claim("one-pod", "one-pod", "ReadWriteOncePod"),
        ),
    ),
    Stuck(
        "host-port",
        container(ports=[{"name": "debug", "containerPort": 9999, "hostPort": 39999}]),
        "Unschedulable",
        ("free ports", *_HAS_IT),
    ),
)

GATEWAY = (
    Broken(
        "gateway",
        {"gateway": {"gatewayRef": {"name": "defualt"}}},
        "GatewayNotFound",
        ("did you mean default?",),
    ),
)
