"""What a GrpcService runs, with the defaults that the operator would apply.

For platforms other than Kubernetes. Pure: read from the object, its annotations and a descriptor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.api.environment import EnvVar
from grpc_operator.api.types import seconds
from grpc_operator.descriptor import Descriptor
from grpc_operator.desired.service import probes
from grpc_operator.desired.service.pod_template import DRAIN_VARIABLE

ANNOTATION_PREFIX = "export.grpc.infera.dev/"
"""Annotations of a GrpcService that only exports read, such as ``.../region``."""

_IDENTITY = "iam.gke.io/gcp-service-account"


@dataclass(frozen=True)
class Variable:
    """An environment variable.

    Attributes:
        name: Its name.
        value: Literal value; empty if it is from elsewhere.
        source: The field of ``valueFrom`` that is set, such as ``secretKeyRef``; empty for a
            literal.
        reference: The content of that field, as the object has it.
        index: In ``spec.env``; ``None`` for what the operator adds.
    """

    name: str
    value: str = ""
    source: str = ""
    reference: Mapping[str, Any] = field(default_factory=dict)
    index: int | None = None


@dataclass(frozen=True)
class Probe:
    """A health check of the container, in seconds.

    Attributes:
        service: Name that a gRPC health check asks for, empty for the whole server; ``None`` for
            another kind of check.
        port: Port of a gRPC health check.
        manifest: The probe of the pod (v1.Probe).
    """

    service: str | None
    port: int
    manifest: Mapping[str, Any]

    @property
    def period(self) -> int:
        """Seconds between checks."""
        return int(self.manifest["periodSeconds"])

    @property
    def timeout(self) -> int:
        """Seconds after which a check fails."""
        return int(self.manifest["timeoutSeconds"])

    @property
    def failures(self) -> int:
        """Failures in a row after which the probe has failed."""
        return int(self.manifest["failureThreshold"])

    @property
    def initial_delay(self) -> int:
        """Seconds from the start of the container to the first check."""
        return int(self.manifest.get("initialDelaySeconds", 0))


@dataclass(frozen=True)
class Scale:
    """How many instances there are.

    Attributes:
        least: At least, or exactly without autoscaling.
        most: At most; equal to ``least`` without autoscaling.
        cpu_percent: Target utilization of the CPU request; ``None`` for no such target.
        memory_percent: The same for memory.
        automatic: Whether ``spec.autoscaling`` is set.
    """

    least: int
    most: int
    cpu_percent: int | None = None
    memory_percent: int | None = None
    automatic: bool = False


@dataclass(frozen=True)
class Timeouts:
    """Time limits of calls at the gateway in seconds; ``None`` when unset, 0 for no limit."""

    request: float | None = None
    stream_idle: float | None = None
    max_stream: float | None = None


@dataclass(frozen=True)
class Workload:
    """What a GrpcService runs.

    Attributes:
        name: Of the GrpcService.
        namespace: Of the GrpcService.
        image: Image reference.
        command: Replaces the entrypoint; empty for that of the image.
        args: Arguments of the entrypoint.
        env: Variables, the one with the drain time first as in the pod.
        env_from: As the object has it (v1.EnvFromSource).
        port: Of gRPC, in plaintext (h2c).
        metrics_port: Of Prometheus metrics; ``None`` if there is none.
        requests: Compute resources as written, such as ``{"cpu": "250m"}``.
        limits: The same.
        scale: Number of instances.
        probes: By ``startup``, ``readiness``, ``liveness``; those that are disabled are absent.
        drain_delay: Seconds of serving after the end of an instance is decided.
        drain_timeout: Seconds after SIGTERM to finish calls.
        timeouts: At the gateway.
        client_timeout: Seconds, from ``spec.client``; ``None`` when unset.
        hosts: ``spec.gateway.hostnames``.
        services: Full names of the gRPC services; empty if neither spec nor descriptor has them.
        service_account: Identity at the cloud, from an annotation of the ServiceAccount (GCP
            e-mail); empty if there is none.
        annotations: Those of ``ANNOTATION_PREFIX``, without it.
        descriptor: Pruned FileDescriptorSet; ``None`` if unknown.
    """

    name: str
    namespace: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[Variable, ...]
    env_from: tuple[Mapping[str, Any], ...]
    port: int
    metrics_port: int | None
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    scale: Scale
    probes: Mapping[str, Probe]
    drain_delay: int
    drain_timeout: int
    timeouts: Timeouts
    client_timeout: float | None
    hosts: tuple[str, ...]
    services: tuple[str, ...]
    service_account: str
    annotations: Mapping[str, str]
    descriptor: Descriptor | None = None


def workload(
    service: GrpcService,
    annotations: Mapping[str, Any] | None = None,
    descriptor: Descriptor | None = None,
) -> Workload:
    """Returns what a GrpcService runs.

    Args:
        service: The service.
        annotations: ``metadata.annotations`` of the object.
        descriptor: Its descriptor, if it is known.
    """
    spec = service.spec
    resources = spec.resources
    gateway = spec.gateway
    account = (spec.service_account and spec.service_account.annotations) or {}
    return Workload(
        name=service.metadata.name,
        namespace=service.metadata.namespace,
        image=spec.image,
        command=tuple(spec.command or ()),
        args=tuple(spec.args or ()),
        env=_variables(spec),
        env_from=tuple(each.wire() for each in spec.env_from or ()),
        port=spec.port,
        metrics_port=spec.metrics.port if spec.metrics else None,
        requests=_amounts(resources.requests if resources else None),
        limits=_amounts(resources.limits if resources else None),
        scale=_scale(spec),
        probes=_probes(spec),
        drain_delay=ceil(seconds(spec.drain.delay)),
        drain_timeout=ceil(seconds(spec.drain.timeout)),
        timeouts=_timeouts(spec),
        client_timeout=_seconds(spec.client.timeout),
        hosts=tuple((gateway and gateway.hostnames) or ()),
        services=_services(spec, descriptor),
        service_account=account.get(_IDENTITY, ""),
        annotations=_exported(annotations or {}),
        descriptor=descriptor,
    )


def _variables(spec: GrpcServiceSpec) -> tuple[Variable, ...]:
    given = tuple(_variable(each, index) for index, each in enumerate(spec.env or ()))
    if any(each.name == DRAIN_VARIABLE for each in given):
        return given
    return (Variable(DRAIN_VARIABLE, str(ceil(seconds(spec.drain.timeout)))), *given)


def _variable(given: EnvVar, index: int) -> Variable:
    if given.value_from is None:
        return Variable(given.name, given.value or "", index=index)
    ((source, reference),) = given.value_from.wire().items()
    return Variable(given.name, source=source, reference=reference, index=index)


def _amounts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (given or {}).items()}


def _scale(spec: GrpcServiceSpec) -> Scale:
    given = spec.autoscaling
    if given is None:
        return Scale(spec.replicas, spec.replicas)
    return Scale(
        given.min_replicas,
        given.max_replicas,
        given.cpu_target,
        given.memory_utilization_percent,
        automatic=True,
    )


def _probes(spec: GrpcServiceSpec) -> dict[str, Probe]:
    manifests = probes.build(spec.probes, spec.port)
    return {
        name: Probe(
            service=given.health_service,
            port=(given.grpc and given.grpc.port) or spec.port,
            manifest=manifests[f"{name}Probe"],
        )
        for name, given in spec.probes.by_name().items()
        if given.mode == "Enabled"
    }


def _timeouts(spec: GrpcServiceSpec) -> Timeouts:
    if spec.gateway is None:
        return Timeouts()
    given = spec.gateway.timeouts
    return Timeouts(
        _seconds(given.request), _seconds(given.stream_idle), _seconds(given.max_stream_duration)
    )


def _seconds(duration: str | None) -> float | None:
    return None if duration is None else seconds(duration)


def _services(spec: GrpcServiceSpec, descriptor: Descriptor | None) -> tuple[str, ...]:
    if spec.services:
        return tuple(spec.services)
    return tuple(each.name for each in descriptor.services) if descriptor else ()


def _exported(annotations: Mapping[str, Any]) -> dict[str, str]:
    return {
        key.removeprefix(ANNOTATION_PREFIX): str(value)
        for key, value in annotations.items()
        if isinstance(key, str) and key.startswith(ANNOTATION_PREFIX)
    }
