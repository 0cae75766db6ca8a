"""Checks that an overlay leaves alone what the operator answers for.

Each problem names the field of the GrpcService or GrpcGateway to use instead. What a pod may ask
for, such as ``hostNetwork`` or a weaker ``securityContext``, is checked in the merged template
(``desired.pod_policy``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import normpath
from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcServiceSpec
from grpc_operator.api.probes import Probes
from grpc_operator.api.workload import PodTemplate
from grpc_operator.desired.overlay.shape import PATH, containers, objects
from grpc_operator.errors import Problem

_METADATA = "spec.podTemplate.metadata"
_RESERVED_LABELS = (
    labels.SERVICE,
    labels.REVISION,
    labels.GATEWAY,
    labels.NAME,
    labels.MANAGED_BY,
    "pod-template-hash",
)

POD_FIELDS = {
    "activeDeadlineSeconds": "a Deployment's pods have no deadline; remove it",
    "ephemeralContainers": "a pod template cannot hold them; use kubectl debug on a pod",
    "restartPolicy": "a Deployment's pods always restart; remove it",
    "serviceAccount": "is deprecated by Kubernetes; use serviceAccountName",
    "terminationGracePeriodSeconds": "is spec.drain.delay + spec.drain.timeout + 5 s; "
    "use spec.drain",
}
_CONTAINER_FIELDS = {
    "args": "use spec.args",
    "command": "use spec.command",
    "env": "use spec.env",
    "envFrom": "use spec.envFrom",
    "image": "use spec.image",
    "imagePullPolicy": "use spec.imagePullPolicy",
    "resources": "use spec.resources",
}


@dataclass(frozen=True)
class Owned:
    """What the operator answers for in a pod that it builds.

    Attributes:
        container: Name of its container.
        pod_fields: Fields of the pod that an overlay must not set, and what to do instead.
        container_fields: The same for its container.
        ports: Number of each port it declares, with its name and the field it comes from.
        variables: Environment variables it sets that an overlay must not set.
        volumes: Volumes it makes that an overlay must not replace.
    """

    container: str
    pod_fields: Mapping[str, str]
    container_fields: Mapping[str, str]
    ports: Mapping[int, tuple[str, str]]
    variables: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()


def of_service(spec: GrpcServiceSpec) -> Owned:
    """Returns what the operator answers for in the pods of a GrpcService."""
    ports = {spec.port: (names.CONTAINER, "spec.port")}
    if spec.metrics is not None:
        ports[spec.metrics.port] = (names.METRICS_PORT, "spec.metrics.port")
    pod_fields = {
        **POD_FIELDS,
        "imagePullSecrets": "use spec.imagePullSecrets",
        "serviceAccount": "is deprecated by Kubernetes; use spec.serviceAccountName",
    }
    container_fields = {**_CONTAINER_FIELDS, **_probe_fields(spec.probes)}
    return Owned(names.CONTAINER, pod_fields, container_fields, ports)


def _probe_fields(probes: Probes) -> dict[str, str]:
    """Returns the probes that the operator builds; an overlay may have those that are disabled."""
    return {
        f"{name}Probe": f"use spec.probes.{name}, which takes exec, grpc, httpGet and tcpSocket"
        for name, probe in probes.by_name().items()
        if probe.mode == "Enabled"
    }


def problems(owned: Owned, overlay: PodTemplate) -> list[Problem]:
    """Returns where an overlay reaches for the operator's fields. Tolerates any shape."""
    pod = overlay.spec or {}
    found = [*_label_problems(overlay), *_refused(pod, owned.pod_fields, PATH)]
    for path, container in containers(pod):
        found += _container_problems(owned, path, container)
        found += _port_problems(owned, path, container)
    return [*found, *_volume_problems(owned, pod), *_name_problems(owned, pod)]


def _label_problems(overlay: PodTemplate) -> Iterator[Problem]:
    given = (overlay.metadata.labels if overlay.metadata else None) or {}
    for label in _RESERVED_LABELS:
        if label in given:
            why = "belongs to the operator or to Kubernetes, which find the pods by it; remove it"
            yield Problem(f"{_METADATA}.labels[{label}]", why)


def _refused(value: dict[str, Any], advice: Mapping[str, str], path: str) -> Iterator[Problem]:
    for field in value:
        if field in advice:
            yield Problem(f"{path}.{field}", f"cannot be set here: {advice[field]}")


def _is_ours(owned: Owned, path: str, container: dict[str, Any]) -> bool:
    return container.get("name") == owned.container and path.startswith(f"{PATH}.containers")


def _container_problems(owned: Owned, path: str, container: dict[str, Any]) -> Iterator[Problem]:
    if not _is_ours(owned, path, container):
        if not container.get("image"):
            yield Problem(
                f"{path}.image",
                f"is missing: only the container named {owned.container} gets spec.image",
            )
        return
    yield from _refused(container, owned.container_fields, path)
    for index, variable in objects(container.get("env")):
        if variable.get("name") in owned.variables:
            yield Problem(f"{path}.env[{index}].name", "is set by the operator; use another name")
    lifecycle = container.get("lifecycle")
    if isinstance(lifecycle, dict) and "preStop" in lifecycle:
        advice = "cannot be set here: it is the drain delay; use spec.drain.delay"
        yield Problem(f"{path}.lifecycle.preStop", advice)
    yield from _mount_problems(path, container)


def _mount_problems(path: str, container: dict[str, Any]) -> Iterator[Problem]:
    """A mount at /tmp replaces the operator's; in another spelling it would be a second one."""
    for index, mount in objects(container.get("volumeMounts")):
        where = mount.get("mountPath")
        if isinstance(where, str) and where != "/tmp" and normpath(where) == "/tmp":  # noqa: S108
            yield Problem(f"{path}.volumeMounts[{index}].mountPath", f"write /tmp, not {where}")


def _volume_problems(owned: Owned, pod: dict[str, Any]) -> Iterator[Problem]:
    for index, volume in objects(pod.get("volumes")):
        if volume.get("name") in owned.volumes:
            advice = "is a volume of the operator; use another name"
            yield Problem(f"{PATH}.volumes[{index}].name", advice)


def _port_problems(owned: Owned, path: str, container: dict[str, Any]) -> Iterator[Problem]:
    """All containers of a pod share one network, and Services find their port by its name."""
    if path.startswith(f"{PATH}.initContainers") and container.get("restartPolicy") != "Always":
        return  # gone before the operator's container starts
    taken = owned.ports
    for index, port in objects(container.get("ports")):
        where = f"{path}.ports[{index}]"
        number = port.get("containerPort")
        if isinstance(number, int) and number in taken and port.get("protocol", "TCP") == "TCP":
            advice = f"is {taken[number][1]}, which the operator declares; use another port"
            yield Problem(f"{where}.containerPort", f"{number} {advice}")
        for name, field in taken.values():
            if port.get("name") == name:
                advice = f"{name} is the name of the port from {field}; use another name"
                yield Problem(f"{where}.name", advice)


def _name_problems(owned: Owned, pod: dict[str, Any]) -> Iterator[Problem]:
    """Containers and init containers share one name space."""
    regular = {container.get("name") for _, container in objects(pod.get("containers"))}
    for index, container in objects(pod.get("initContainers")):
        name = container.get("name")
        if name == owned.container or (isinstance(name, str) and name in regular):
            yield Problem(
                f"{PATH}.initContainers[{index}].name",
                f"{name} is already a container of this pod; use another name",
            )
