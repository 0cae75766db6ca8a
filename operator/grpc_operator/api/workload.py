"""What a GrpcService says about its pods as a set: overlay, disruption, scaling, drain, clients."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, rule, rules
from grpc_operator.api.types import Duration, FreeObject, IntOrString


class PodTemplateMetadata(ApiModel):
    """Labels and annotations that are added to the pods."""

    labels: dict[str, str] | None = Field(default=None, max_length=64)
    """Labels to add. The operator's own labels cannot be changed."""
    annotations: dict[str, str] | None = Field(default=None, max_length=64)
    """Annotations to add."""


class PodTemplate(ApiModel):
    """An overlay on the pod template that the operator builds.

    Merged as `kubectl patch --type=strategic` merges: containers, volumes, environment variables
    and ports by their keys, other lists replaced. The gRPC container is the one named `grpc`.
    """

    metadata: PodTemplateMetadata | None = None
    """Labels and annotations to add."""
    spec: FreeObject | None = None
    """Fields of a Kubernetes PodSpec, such as `nodeSelector`, `tolerations`, `volumes`, or
    `containers: [{name: grpc, volumeMounts: [...]}]`. Selector labels, the container's name, its
    ports and probes, `restartPolicy`, `terminationGracePeriodSeconds` and `lifecycle.preStop` stay
    the operator's, and what has a field in this spec (`image`, `env`, `resources`, ...) is set
    there. A volume of the same name is replaced as a whole. Null values and `$patch` are
    refused."""


class PodDisruptionBudget(ApiModel):
    """How many pods a node drain may take away at a time."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!(has(self.minAvailable) && has(self.maxUnavailable))",
                "set either minAvailable or maxUnavailable, not both",
            ),
            *(
                rule(
                    f"!has(self.{field}) || (type(self.{field}) == int ? self.{field} >= 0"
                    f" : string(self.{field}).matches('^(100|[0-9]{{1,2}})%$'))",
                    "must be a whole number or a percentage from 0% to 100%",
                    field=f".{field}",
                )
                for field in ("minAvailable", "maxUnavailable")
            ),
        )
    )

    mode: Literal["Auto", "Disabled"] = "Auto"
    """`Auto` makes a budget when more than one replica is wanted; `Disabled` never does."""
    min_available: IntOrString | None = None
    """Pods, or percentage of pods, that must stay."""
    max_unavailable: IntOrString | None = None
    """Pods, or percentage of pods, that may be missing; 1 when neither is set."""


MIN_UP_TO_MAX = rules(
    rule(
        "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
        "must not be larger than maxReplicas (minReplicas is 2 when unset)",
        field=".minReplicas",
    )
)
"""The ``json_schema_extra`` of what scales between two bounds."""


class Autoscaling(ApiModel):
    """A HorizontalPodAutoscaler (autoscaling/v2) over the Deployment; `replicas` is left to it."""

    model_config = ConfigDict(json_schema_extra=MIN_UP_TO_MAX)

    min_replicas: int = Field(default=2, ge=1, le=1000)
    """Fewest replicas."""
    max_replicas: int = Field(ge=1, le=1000)
    """Most replicas."""
    cpu_utilization_percent: int | None = Field(default=None, ge=1, le=1000)
    """Average CPU use to hold, in percent of the gRPC container's request. 80 when no target is
    set at all."""
    memory_utilization_percent: int | None = Field(default=None, ge=1, le=1000)
    """Average memory use to hold, in percent of the gRPC container's request."""
    metrics: list[FreeObject] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """Further autoscaling/v2 MetricSpecs, such as calls per second of a Pods metric."""
    behavior: FreeObject | None = None
    """An autoscaling/v2 HorizontalPodAutoscalerBehavior."""

    @property
    def cpu_target(self) -> int | None:
        """The CPU target in percent: the one given, or 80 when there is no target at all."""
        if self.cpu_utilization_percent or self.memory_utilization_percent or self.metrics:
            return self.cpu_utilization_percent
        return 80


class Drain(ApiModel):
    """How a pod leaves without failing calls.

    The pod goes on serving for `delay` while clients and proxies learn that it leaves (a preStop
    sleep), then gets SIGTERM and has `timeout` to finish its calls. The termination grace period
    is `delay` + `timeout` + 5 s. The container finds `timeout` in the environment variable
    `GRPC_DRAIN_SECONDS`.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                rule(
                    f"!has(self.{field})"
                    f" || !self.{field}.matches('^([0-9]{{1,5}}(h|m|s|ms)){{1,4}}$')"
                    f" || duration(self.{field}) <= duration('{most}')",
                    f"must not be longer than {most}",
                    field=f".{field}",
                )
                for field, most in (("delay", "10m"), ("timeout", "24h"))
            )
        )
    )

    delay: Duration = "5s"
    """Time between the decision to stop a pod and SIGTERM, rounded up to whole seconds; at least
    as long as clients and proxies need to see that its endpoint is gone."""
    timeout: Duration = "30s"
    """Time the server has after SIGTERM to finish its calls, rounded up to whole seconds."""


class Client(ApiModel):
    """The ConfigMap `NAME-grpc-client`: what a client needs to call this service well."""

    load_balancing_policy: Literal["RoundRobin", "PickFirst"] = "RoundRobin"
    """Balancing policy in the gRPC service config. `RoundRobin` spreads calls over all pods."""
    health_check_service: str | None = Field(default=None, max_length=253)
    """Service name that clients watch with grpc.health.v1.Health/Watch (gRFC A17); the readiness
    probe's service when unset."""
    timeout: Duration | None = None
    """Default deadline of every call in the service config; none when unset or `0s`."""
