"""Environment variables of a container, with every field that they have in a PodSpec."""

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, rule, rules
from grpc_operator.api.types import Quantity, ResourceName


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


class FileKeySelector(ApiModel):
    """Selects one variable of an env file in a volume (KEP-3721, since Kubernetes 1.34)."""

    volume_name: str = Field(min_length=1, max_length=63)
    """Name of the volume, an `emptyDir` in `podTemplate.spec.volumes` that an init container
    fills."""
    path: str = Field(min_length=1, max_length=4096)
    """Path of the file within the volume."""
    key: str = Field(min_length=1, max_length=253)
    """Variable to read from the file."""
    optional: bool | None = None
    """When true, a missing file or variable leaves the variable unset instead of stopping the
    pod."""


class FieldSelector(ApiModel):
    """Selects a field of the pod."""

    api_version: str | None = Field(default=None, max_length=63)
    """Version of the schema that `fieldPath` is written for; v1 when unset."""
    field_path: str = Field(min_length=1, max_length=253)
    """Path of the field, such as `metadata.name` or `status.podIP`."""


class ResourceFieldSelector(ApiModel):
    """Selects a resource of the container."""

    resource: str = Field(min_length=1, max_length=253)
    """Resource to read, such as `limits.memory`."""
    container_name: str | None = Field(default=None, max_length=63)
    """Container to read it from; the gRPC container when unset."""
    divisor: Quantity | None = None
    """Unit of the value, such as `1Mi`."""


class EnvVarSource(ApiModel):
    """Source of the variable's value; set exactly one."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "[has(self.configMapKeyRef), has(self.secretKeyRef), has(self.fieldRef),"
                " has(self.resourceFieldRef), has(self.fileKeyRef)].filter(x, x).size() == 1",
                "set exactly one of configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef and"
                " fileKeyRef",
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
    file_key_ref: FileKeySelector | None = None


class EnvVar(ApiModel):
    """An environment variable of the gRPC container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!(has(self.value) && has(self.valueFrom))",
                "set either value or valueFrom, not both",
            ),
            rule(
                "self.name.matches('^[ -<>-~]+$')",
                "must be printable ASCII characters other than '='",
                field=".name",
            ),
        )
    )

    name: str = Field(min_length=1, max_length=253)
    """Name of the variable."""
    value: str | None = Field(default=None, max_length=32768)
    """Literal value. Use `valueFrom.secretKeyRef` for secrets."""
    value_from: EnvVarSource | None = None


class EnvFromReference(LocalObjectReference):
    """Names a ConfigMap or Secret in the GrpcService's namespace."""

    optional: bool | None = None
    """When true, a missing object adds no variables instead of stopping the pod."""


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
    config_map_ref: EnvFromReference | None = None
    """The ConfigMap to import."""
    secret_ref: EnvFromReference | None = None
    """The Secret to import. The kubelet reads it; the operator never does."""
