"""Fields about all pods together: overlay, disruption budget, autoscaling, drain, clients."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, rule, rules
from grpc_operator.api.types import Duration, FreeObject, IntOrString


class PodTemplateMetadata(ApiModel):
    """Labels and annotations to add to the pods."""

    labels: dict[str, str] | None = Field(default=None, max_length=64)
    """Labels to add. The labels that the operator sets cannot be changed."""
    annotations: dict[str, str] | None = Field(default=None, max_length=64)
    """Annotations to add."""


class PodTemplate(ApiModel):
    """An overlay on the pod template that the operator builds, for everything that has no field
    here. It is merged like `kubectl patch --type=strategic`: containers, volumes, environment
    variables and ports by their merge keys; other lists are replaced. The gRPC container is named
    `grpc`.
    """

    metadata: PodTemplateMetadata | None = None
    spec: FreeObject | None = None
    """Fields of a Kubernetes PodSpec, such as `nodeSelector`, `tolerations`, `volumes`, or
    `containers: [{name: grpc, volumeMounts: [...]}]`. The operator owns the selector labels, the
    name, ports and probes of its container, `restartPolicy`, `terminationGracePeriodSeconds` and
    `lifecycle.preStop`. What has a field of its own (`image`, `env`, `resources`, ...) must be set
    in that field. A volume of the same name is replaced as a whole. Null values and `$patch`
    directives are rejected, and so is what the chart value `podPolicy.services.allow` does not
    allow, such as `hostNetwork`."""


def _amount(field: str) -> dict[str, str]:
    return rule(
        f"!has(self.{field}) || (type(self.{field}) == int ? self.{field} >= 0"
        f" : string(self.{field}).matches('^(100|[0-9]{{1,2}})%$'))",
        "must be a whole number or a percentage from 0% to 100%",
        field=f".{field}",
    )


class RollingUpdate(ApiModel):
    """How many pods a rollout may take away and add at a time (apps/v1 RollingUpdateDeployment)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _amount("maxUnavailable"),
            _amount("maxSurge"),
            rule(
                "!has(self.maxSurge) || !(string(self.maxSurge) in ['0', '0%', '00%'])"
                " || (has(self.maxUnavailable)"
                " && !(string(self.maxUnavailable) in ['0', '0%', '00%']))",
                "must be at least 1 where maxSurge is 0: otherwise no pod could be replaced",
                field=".maxUnavailable",
            ),
        )
    )

    max_unavailable: IntOrString | None = None
    """Number or percentage of pods that may be missing during a rollout; 0 when unset."""
    max_surge: IntOrString | None = None
    """Number or percentage of pods that may exist beyond `replicas`; 25% when unset."""


class Strategy(ApiModel):
    """How pods are replaced when the pod template changes (apps/v1 DeploymentStrategy)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.rollingUpdate) || self.type == 'RollingUpdate'",
                "must not be set for type Recreate",
                field=".rollingUpdate",
            )
        )
    )

    type: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    """`RollingUpdate` starts a new pod before an old one ends, so both exist for a while.
    `Recreate` ends all old pods first, and no calls are served until new ones are ready: for what
    only one pod can have, such as a ReadWriteOncePod volume or a port of the node."""
    rolling_update: RollingUpdate | None = None


class PodDisruptionBudget(ApiModel):
    """How many pods may be unavailable during voluntary disruptions, such as a node drain."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!(has(self.minAvailable) && has(self.maxUnavailable))",
                "set either minAvailable or maxUnavailable, not both",
            ),
            _amount("minAvailable"),
            _amount("maxUnavailable"),
        )
    )

    mode: Literal["Auto", "Disabled"] = "Auto"
    """`Auto` creates a PodDisruptionBudget when there is more than one replica; `Disabled` never
    does."""
    min_available: IntOrString | None = None
    """Number or percentage of pods that must stay available."""
    max_unavailable: IntOrString | None = None
    """Number or percentage of pods that may be unavailable; 1 when neither field is set."""


MIN_UP_TO_MAX = rules(
    rule(
        "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
        "must not exceed maxReplicas (minReplicas is 2 when unset)",
        field=".minReplicas",
    )
)
"""The ``json_schema_extra`` of a model with minReplicas and maxReplicas."""


class ServiceAccount(ApiModel):
    """The ServiceAccount that the operator creates for the pods, of the name of the GrpcService. It
    has no rights, and pods get no token of it for the Kubernetes API.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.annotations)"
                " || !self.annotations.exists(k, k.startsWith('grpc.infera.dev/'))",
                "must have no key that begins with grpc.infera.dev/, which is the operator's",
                field=".annotations",
            )
        )
    )

    annotations: dict[str, str] | None = Field(default=None, max_length=32)
    """Annotations, such as those by which a cloud gives the pods a role:
    `eks.amazonaws.com/role-arn`, `iam.gke.io/gcp-service-account` or
    `azure.workload.identity/client-id`."""


class Autoscaling(ApiModel):
    """Creates a HorizontalPodAutoscaler (autoscaling/v2), which then sets the replicas of the
    Deployment in place of `replicas`.
    """

    model_config = ConfigDict(json_schema_extra=MIN_UP_TO_MAX)

    min_replicas: int = Field(default=2, ge=1, le=1000)
    """Lower limit for the number of replicas."""
    max_replicas: int = Field(ge=1, le=1000)
    """Upper limit for the number of replicas."""
    cpu_utilization_percent: int | None = Field(default=None, ge=1, le=1000)
    """Target average CPU utilization, in percent of the gRPC container's request; 80 when no
    target is set at all."""
    memory_utilization_percent: int | None = Field(default=None, ge=1, le=1000)
    """Target average memory utilization, in percent of the gRPC container's request."""
    metrics: list[FreeObject] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """More autoscaling/v2 MetricSpecs, such as a Pods metric for calls per second."""
    behavior: FreeObject | None = None
    """Scaling behavior, as an autoscaling/v2 HorizontalPodAutoscalerBehavior."""

    @property
    def cpu_target(self) -> int | None:
        """The CPU target in percent: the one given, or 80 when there is no target at all."""
        if self.cpu_utilization_percent or self.memory_utilization_percent or self.metrics:
            return self.cpu_utilization_percent
        return 80


class Drain(ApiModel):
    """How a pod shuts down without failing calls. It continues to serve for `delay`, in a preStop
    hook, while clients and proxies remove its endpoint. Then it receives SIGTERM and has `timeout`
    to finish its calls. The termination grace period is `delay` + `timeout` + 5 s. The container
    gets `timeout` in the environment variable `GRPC_DRAIN_SECONDS`.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                rule(
                    f"!has(self.{field})"
                    f" || !self.{field}.matches('^([0-9]{{1,5}}(h|m|s|ms)){{1,4}}$')"
                    f" || duration(self.{field}) <= duration('{most}')",
                    f"must not exceed {most}",
                    field=f".{field}",
                )
                for field, most in (("delay", "10m"), ("timeout", "24h"))
            )
        )
    )

    delay: Duration = "65s"
    """Time from the deletion of the pod to SIGTERM, rounded up to whole seconds. It must cover the
    time that clients and proxies need to notice that the endpoint is terminating. Clients that
    resolve `NAME-headless` need 65 s: gRPC resolves a name at most every 30 s, and cluster DNS
    caches its answer for 30 s. A gateway needs 5 s."""
    timeout: Duration = "30s"
    """Time after SIGTERM to finish calls, rounded up to whole seconds."""


class Client(ApiModel):
    """Content of the ConfigMap `NAME-grpc-client`, from which clients configure themselves: target
    and gRPC service config.
    """

    load_balancing_policy: Literal["RoundRobin", "PickFirst"] = "RoundRobin"
    """Load balancing policy in the gRPC service config. `RoundRobin` spreads calls over all
    pods."""
    health_check_service: str | None = Field(default=None, max_length=253)
    """Service name that clients watch with grpc.health.v1.Health/Watch (gRFC A17). When unset, the
    service of the readiness probe; none if that is not a gRPC probe."""
    timeout: Duration | None = None
    """Timeout of every call in the gRPC service config; none when unset or `0s`."""
