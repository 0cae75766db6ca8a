"""The fields of a GrpcService that configure its container."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, list_map, rule, rules
from grpc_operator.api.compute_resources import Resources
from grpc_operator.api.environment import EnvFromSource, EnvVar, LocalObjectReference
from grpc_operator.api.probes import Probes
from grpc_operator.api.types import PortNumber


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
