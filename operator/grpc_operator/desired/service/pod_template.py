"""The pod: one gRPC container under the restricted Pod Security Standard, and the overlay on it."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from grpc_operator import names
from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.api.types import seconds
from grpc_operator.api.workload import Drain
from grpc_operator.desired.common import empties
from grpc_operator.desired.common.metadata import pod_labels, selector, workload
from grpc_operator.desired.common.workload import (
    container_security_context,
    drain_and_spread,
    identity,
    pod_security_context,
)
from grpc_operator.desired.overlay import merge, shape
from grpc_operator.desired.service import probes
from grpc_operator.resources import Manifest

DRAIN_VARIABLE = "GRPC_DRAIN_SECONDS"
"""Environment variable: whole seconds the server has after SIGTERM."""

TMP_VOLUME = "tmp"
TMP_PATH = "/tmp"  # noqa: S108  a mount of the pod's own, not a file this program writes


def build(service: GrpcService, more_labels: Mapping[str, str] | None = None) -> Manifest:
    """Returns the pod template with the user's overlay merged in.

    Quantities stay as they were written.

    No user id is set: the image decides. ``runAsNonRoot`` therefore needs an image whose USER is
    a number; the kubelet cannot tell whether a named user is root and refuses to start it.

    A container that fails leaves the end of its log in its status, unless it has a message of its
    own (``terminationMessagePolicy``), so that ``Ready`` can quote it.

    Args:
        service: The service.
        more_labels: Labels that tell its pods from those of another revision.
    """
    template = {
        "metadata": {
            "labels": {**pod_labels(service), **(more_labels or {})},
            "annotations": _annotations(service.spec),
        },
        "spec": _pod(service),
    }
    merged = merge.merged(empties.pruned(template), service.spec.pod_template)
    for field in shape.CONTAINER_LISTS:
        for _, container in shape.objects(merged["spec"].get(field)):
            container.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")
    return merged


def _annotations(spec: GrpcServiceSpec) -> dict[str, str]:
    """The annotations that Prometheus' example scrape configuration reads."""
    if spec.metrics is None:
        return {}
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(spec.metrics.port),
        "prometheus.io/path": spec.metrics.path,
    }


def _pod(service: GrpcService) -> dict[str, Any]:
    spec = service.spec
    return {
        **identity(spec.service_account_name or workload(service)),
        "imagePullSecrets": [ref.wire() for ref in spec.image_pull_secrets or ()],
        "securityContext": pod_security_context(),
        **drain_and_spread(spec.drain, selector(service)),
        "containers": [_container(spec)],
        "volumes": [{"name": TMP_VOLUME, "emptyDir": {"sizeLimit": "1Gi"}}],
    }


def _container(spec: GrpcServiceSpec) -> dict[str, Any]:
    return {
        "name": names.CONTAINER,
        "image": spec.image,
        "imagePullPolicy": spec.image_pull_policy,
        "command": spec.command,
        "args": spec.args,
        "env": _env(spec),
        "envFrom": [source.wire() for source in spec.env_from or ()],
        "resources": spec.resources.wire() if spec.resources else None,
        "ports": _ports(spec),
        "securityContext": container_security_context(),
        # The root file system is read-only, and most language runtimes want a place to write.
        "volumeMounts": [{"name": TMP_VOLUME, "mountPath": TMP_PATH}],
        **probes.build(spec.probes, spec.port),
        **_lifecycle(spec.drain),
    }


def _env(spec: GrpcServiceSpec) -> list[dict[str, Any]]:
    """The drain time comes first, so that the user's variables may refer to it."""
    given = [variable.wire() for variable in spec.env or ()]
    if any(variable["name"] == DRAIN_VARIABLE for variable in given):
        return given
    drain_seconds = ceil(seconds(spec.drain.timeout))
    return [{"name": DRAIN_VARIABLE, "value": str(drain_seconds)}, *given]


def _ports(spec: GrpcServiceSpec) -> list[dict[str, Any]]:
    numbers = {names.CONTAINER: spec.port}
    if spec.metrics is not None:
        numbers[names.METRICS_PORT] = spec.metrics.port
    return [
        {"name": name, "containerPort": number, "protocol": "TCP"}
        for name, number in numbers.items()
    ]


def _lifecycle(drain: Drain) -> dict[str, Any]:
    """A preStop sleep by the kubelet: needs no shell in the image (KEP-3960).

    A sleep of zero is left out: it is allowed only since Kubernetes 1.33.
    """
    delay = ceil(seconds(drain.delay))
    return {"lifecycle": {"preStop": {"sleep": {"seconds": delay}}}} if delay else {}
