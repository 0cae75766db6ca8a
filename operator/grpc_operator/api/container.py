"""The fields of a GrpcService that configure its container."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, list_map, rule, rules
from grpc_operator.api.types import IntOrString, PortNumber, ResourceName


class LocalObjectReference(ApiModel):
    """Names an object in the GrpcService's namespace."""

    name: ResourceName
    """Name of the object."""


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
    """Source of the variable's value; set exactly one."""

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
    """Selects a key of a ConfigMap."""
    secret_key_ref: KeySelector | None = None
    """Selects a key of a Secret. The kubelet reads the Secret; the operator never does."""
    field_ref: FieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    """Selects a resource request or limit of a container."""


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


class EnvFromSource(ApiModel):
    """Imports every key of a ConfigMap or Secret as an environment variable."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.configMapRef) != has(self.secretRef)",
                "set exactly one of configMapRef and secretRef",
            )
        )
    )

    prefix: str | None = Field(default=None, max_length=253)
    """Prefix for the name of every variable."""
    config_map_ref: LocalObjectReference | None = None
    """The ConfigMap to import."""
    secret_ref: LocalObjectReference | None = None
    """The Secret to import. The kubelet reads it; the operator never does."""


def _quantities(field: str) -> dict[str, str]:
    return rule(
        f"!has(self.{field}) || self.{field}.all(k,"
        f" type(self.{field}[k]) == int || isQuantity(string(self.{field}[k])))",
        "every value must be a quantity, such as 250m, 2 or 512Mi",
        field=f".{field}",
    )


class Resources(ApiModel):
    """Compute resources that a container requests, and its limits."""

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
                "a request must not exceed the limit of the same resource",
                field=".requests",
            ),
        )
    )

    requests: dict[str, IntOrString] | None = Field(default=None, max_length=8)
    """Resources that the scheduler reserves, such as `{cpu: 100m, memory: 64Mi}`."""
    limits: dict[str, IntOrString] | None = Field(default=None, max_length=8)
    """The most that the container may use, such as `{memory: 256Mi}`."""


class Metrics(ApiModel):
    """The HTTP endpoint where the container serves its own Prometheus metrics, if it does."""

    port: PortNumber
    """Port of the endpoint. It must differ from the gRPC port."""
    path: str = Field(default="/metrics", max_length=253)
    """Path of the endpoint, beginning with a slash."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.path) || self.path.matches('^/[A-Za-z0-9/_.~%-]*$')",
                "must begin with '/' and contain only URL path characters, such as /metrics",
                field=".path",
            )
        )
    )


class Probe(ApiModel):
    """A native gRPC probe (KEP-2727): the kubelet calls grpc.health.v1.Health/Check."""

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
    """Service name in the health check request, such as `user.v1.UserService`. When unset, the
    empty name: the health of the whole server."""
    period_seconds: int | None = Field(default=None, ge=1, le=3600)
    """Seconds between checks. When unset, the default of this probe applies."""
    timeout_seconds: int | None = Field(default=None, ge=1, le=3600)
    """Seconds after which a check times out. When unset, the default of this probe applies."""
    failure_threshold: int | None = Field(default=None, ge=1, le=1000)
    """Consecutive failures after which the probe counts as failed. When unset, the default of this
    probe applies."""
    initial_delay_seconds: int | None = Field(default=None, ge=0, le=3600)
    """Seconds from the start of the container to the first check; 0 when unset."""


class Probes(ApiModel):
    """The native gRPC probes (KEP-2727). All three are enabled, with defaults that suit most
    servers.
    """

    startup: Probe = Probe()
    """The other two probes wait until this one succeeds. Default: every second, timeout 1 s, up to
    120 failures."""
    readiness: Probe = Probe()
    """Whether the pod receives calls. Default: every 2 seconds, timeout 2 s, 3 failures."""
    liveness: Probe = Probe()
    """Restarts a server that hangs. Default: every 10 seconds, timeout 5 s, 3 failures."""


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
                "must be an image reference, such as registry.example/team/users:1.4.2"
                " or users@sha256:<64 hex digits>, with the repository in lower case",
            )
        ),
    )
    """Image of the gRPC server, such as `user-service:0.1.0`."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When to pull the image. When unset, Kubernetes decides by the tag."""
    image_pull_secrets: list[LocalObjectReference] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("name")
    )
    """Secrets with credentials for the registry."""
    command: list[str] | None = Field(default=None, max_length=64, json_schema_extra=list_atomic())
    """Replaces the entrypoint of the image."""
    args: list[str] | None = Field(default=None, max_length=256, json_schema_extra=list_atomic())
    """Arguments of the entrypoint."""
    env: list[EnvVar] | None = Field(
        default=None, max_length=256, json_schema_extra=list_map("name")
    )
    """Environment variables of the gRPC container."""
    env_from: list[EnvFromSource] | None = Field(
        default=None, max_length=32, json_schema_extra=list_atomic()
    )
    """ConfigMaps and Secrets whose keys become environment variables."""
    resources: Resources | None = None
    """Compute resources of the gRPC container."""
    port: PortNumber = 50051
    """Port on which the server accepts plaintext gRPC (h2c). Both Services use the same port."""
    metrics: Metrics | None = None
    probes: Probes = Probes()
