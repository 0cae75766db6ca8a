"""What a GrpcService says about its container: environment, resources, probes, metrics."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, list_map, rule, rules
from grpc_operator.api.types import IntOrString, PortNumber, ResourceName


class LocalObjectReference(ApiModel):
    """Names an object in the GrpcService's namespace."""

    name: ResourceName
    """Name of the object, such as `registry-credentials`."""


class KeySelector(ApiModel):
    """Selects one key of a ConfigMap or Secret in the same namespace."""

    name: ResourceName
    """Name of the ConfigMap or Secret."""
    key: str = Field(min_length=1, max_length=253)
    """Key to read."""
    optional: bool | None = None
    """When true, a missing object or key leaves the variable unset instead of stopping the pod."""


class FieldSelector(ApiModel):
    """Selects a field of the pod."""

    field_path: str = Field(min_length=1, max_length=253)
    """Path of the field, such as `metadata.name` or `status.podIP`."""


class ResourceFieldSelector(ApiModel):
    """Selects a resource of the container."""

    resource: str = Field(min_length=1, max_length=253)
    """Resource to read, such as `limits.memory`."""
    container_name: str | None = Field(default=None, max_length=63)
    """Container to read it from; the gRPC container when unset."""
    divisor: IntOrString | None = None
    """Unit of the value, such as `1Mi`."""


class EnvVarSource(ApiModel):
    """Where the value of an environment variable comes from: exactly one source."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "[has(self.configMapKeyRef), has(self.secretKeyRef), has(self.fieldRef),"
                " has(self.resourceFieldRef)].filter(x, x).size() == 1",
                "set exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef",
            )
        )
    )

    config_map_key_ref: KeySelector | None = None
    """A key of a ConfigMap."""
    secret_key_ref: KeySelector | None = None
    """A key of a Secret. The operator never reads it; the kubelet does."""
    field_ref: FieldSelector | None = None
    """A field of the pod."""
    resource_field_ref: ResourceFieldSelector | None = None
    """A resource request or limit of a container."""


class EnvVar(ApiModel):
    """An environment variable of the gRPC container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!(has(self.value) && has(self.valueFrom))",
                "set either value or valueFrom, not both",
            ),
            rule(
                "self.name.matches('^[-._a-zA-Z][-._a-zA-Z0-9]*$')",
                "must be letters, digits, '_', '-' or '.', and not begin with a digit",
                field=".name",
            ),
        )
    )

    name: str = Field(min_length=1, max_length=253)
    """Name of the variable."""
    value: str | None = Field(default=None, max_length=32768)
    """Literal value. Use `valueFrom.secretKeyRef` for secrets."""
    value_from: EnvVarSource | None = None
    """Source of the value."""


class EnvFromSource(ApiModel):
    """All keys of one ConfigMap or Secret as environment variables."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.configMapRef) != has(self.secretRef)",
                "set exactly one of configMapRef and secretRef",
            )
        )
    )

    prefix: str | None = Field(default=None, max_length=253)
    """Text put before every key."""
    config_map_ref: LocalObjectReference | None = None
    """The ConfigMap to read."""
    secret_ref: LocalObjectReference | None = None
    """The Secret to read. The operator never reads it; the kubelet does."""


def _quantities(field: str) -> dict[str, str]:
    return rule(
        f"!has(self.{field}) || self.{field}.all(k,"
        f" type(self.{field}[k]) == int || isQuantity(string(self.{field}[k])))",
        "every value must be a quantity such as 250m, 2 or 512Mi",
        field=f".{field}",
    )


class Resources(ApiModel):
    """Compute resources of the gRPC container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _quantities("requests"),
            _quantities("limits"),
            rule(
                "!has(self.requests) || !has(self.limits) || ['cpu', 'memory'].all(k,"
                " !(k in self.requests) || !(k in self.limits)"
                " || !isQuantity(string(self.requests[k]))"
                " || !isQuantity(string(self.limits[k]))"
                " || quantity(string(self.requests[k]))"
                ".compareTo(quantity(string(self.limits[k]))) <= 0)",
                "a request must not be larger than the limit of the same resource",
                field=".requests",
            ),
        )
    )

    requests: dict[str, IntOrString] | None = Field(default=None, max_length=8)
    """What the scheduler reserves, such as `{cpu: 100m, memory: 64Mi}`."""
    limits: dict[str, IntOrString] | None = Field(default=None, max_length=8)
    """What the container may use at most, such as `{memory: 256Mi}`."""


class Metrics(ApiModel):
    """The HTTP endpoint on which the container serves its own Prometheus metrics."""

    port: PortNumber
    """Port of the endpoint; another one than the gRPC port."""
    path: str = Field(default="/metrics", max_length=253)
    """Path of the endpoint; it begins with a slash."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.path) || self.path.matches('^/[A-Za-z0-9/_.~%-]*$')",
                "must begin with '/' and hold only URL path characters, such as /metrics",
                field=".path",
            )
        )
    )


class Probe(ApiModel):
    """One native gRPC probe (KEP-2727): the kubelet calls grpc.health.v1.Health/Check."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.timeoutSeconds) || !has(self.periodSeconds)"
                " || self.timeoutSeconds <= self.periodSeconds",
                "must not be longer than periodSeconds",
                field=".timeoutSeconds",
            )
        )
    )

    mode: Literal["Enabled", "Disabled"] = "Enabled"
    """`Disabled` removes this probe."""
    service: str | None = Field(default=None, max_length=253)
    """Service name sent to the health check, such as `user.v1.UserService`; the server's overall
    health (the empty name) when unset."""
    period_seconds: int | None = Field(default=None, ge=1, le=3600)
    """Seconds between two checks."""
    timeout_seconds: int | None = Field(default=None, ge=1, le=3600)
    """Seconds after which a check counts as failed."""
    failure_threshold: int | None = Field(default=None, ge=1, le=1000)
    """Failed checks in a row before the probe fails."""
    initial_delay_seconds: int | None = Field(default=None, ge=0, le=3600)
    """Seconds between the start of the container and the first check."""


class Probes(ApiModel):
    """The three gRPC probes. Each is on with defaults that suit most servers."""

    startup: Probe = Probe()
    """Holds the other two back until the server answers. Default: every second (timeout 1 s), 120
    times."""
    readiness: Probe = Probe()
    """Decides whether the pod gets calls. Default: every 2 seconds (timeout 2 s), 3
    failures."""
    liveness: Probe = Probe()
    """Restarts a hung server. Default: every 10 seconds (timeout 5 s), 3 failures."""


class ContainerSpec(ApiModel):
    """The fields of a GrpcService that describe its container."""

    image: str = Field(
        min_length=1,
        max_length=512,
        json_schema_extra=rules(
            rule(
                "self.matches('^([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?/)?"
                "[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
                "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$')",
                "must be an image reference such as registry.example/team/users:1.4.2"
                " or users@sha256:<64 hex digits>; the repository is lower case",
            )
        ),
    )
    """Image of the gRPC server, such as `user-service:0.1.0`."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When to pull the image; Kubernetes decides by the tag when unset."""
    image_pull_secrets: list[LocalObjectReference] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("name")
    )
    """Secrets with credentials for the registry."""
    command: list[str] | None = Field(default=None, max_length=64, json_schema_extra=list_atomic())
    """Replaces the image's entrypoint."""
    args: list[str] | None = Field(default=None, max_length=256, json_schema_extra=list_atomic())
    """Arguments of the entrypoint."""
    env: list[EnvVar] | None = Field(
        default=None, max_length=256, json_schema_extra=list_map("name")
    )
    """Environment variables."""
    env_from: list[EnvFromSource] | None = Field(
        default=None, max_length=32, json_schema_extra=list_atomic()
    )
    """ConfigMaps and Secrets whose keys become environment variables."""
    resources: Resources | None = None
    """Compute resources."""
    port: PortNumber = 50051
    """Port the server listens on for plaintext gRPC (h2c); also the port of both Services."""
    metrics: Metrics | None = None
    """Where the container serves Prometheus metrics, if it does."""
    probes: Probes = Probes()
    """The native gRPC probes."""
