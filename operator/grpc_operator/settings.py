"""The operator's configuration, read once from the environment."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from grpc_operator.allowances import Allowance

_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
"""A DNS subdomain, as the names of Kubernetes objects are."""


class Settings(BaseSettings):
    """Every setting is an environment variable ``GRPC_OPERATOR_<NAME>`` with a usable default."""

    model_config = SettingsConfigDict(
        env_prefix="GRPC_OPERATOR_", frozen=True, use_attribute_docstrings=True
    )

    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to watch, separated by commas; all when empty."""
    watch_label_selector: str = ""
    """Label selector for the GrpcServices to reconcile; all when empty."""
    service_pods_may: Annotated[tuple[Allowance, ...], NoDecode] = ()
    """What `podTemplate` of GrpcServices may ask for beyond the restricted Pod Security Standard,
    separated by commas; nothing when empty."""
    gateway_pods_may: Annotated[tuple[Allowance, ...], NoDecode] = ()
    """The same for GrpcGateways."""
    cluster_domain: str = Field(default="cluster.local", min_length=1)
    """DNS domain of the cluster."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged."""
    log_format: Literal["json", "text"] = "json"
    """Log format: one JSON object per line, or plain text."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /livez, /readyz and /metrics; 0 chooses a free port."""
    lease_name: str = Field(default="grpc-operator", pattern=_NAME, max_length=253)
    """Name of the Lease for leader election."""
    lease_namespace: str = Field(default="default", min_length=1, validation_alias="POD_NAMESPACE")
    """Namespace of the Lease and of the operator."""
    xds_port: int = Field(default=18000, ge=0, le=65535)
    """Port of the xDS server (incremental ADS over TLS), for proxies and other replicas; 0 chooses
    a free port."""
    xds_address: str = Field(default="", max_length=300)
    """Address (HOST:PORT) at which proxies reach the xDS server of any replica; `localhost:18000`
    when empty."""
    xds_secret: str = Field(default="grpc-operator-xds", pattern=_NAME, max_length=253)
    """Secret, in the namespace of the operator, in which it keeps the CA and the certificate of the
    xDS server."""
    xds_certificate_folder: str = ""
    """Folder with `tls.crt`, `tls.key` and `ca.crt` of the xDS server, which somebody else keeps up
    to date; the Secret is not used then."""
    replica_token_folder: str = "/var/run/secrets/grpc.infera.dev"  # noqa: S105 - a folder
    """Folder with the file `token`, by which this replica identifies itself to the others. Its
    audience is `replicas.grpc.infera.dev`."""
    peers_host: str = Field(default="", max_length=253)
    """DNS name that resolves to the addresses of all replicas, which exchange the list of proxies
    that are connected to them; empty with a single replica."""
    envoy_image: str = Field(default="docker.io/envoyproxy/envoy:v1.40.0", min_length=1)
    """Envoy image of GrpcGateways without `spec.image`."""
    envoy_image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    """Pull policy of that image. When empty, Kubernetes decides by the tag."""
    pod_ip: str = Field(default="", validation_alias="POD_IP")
    """IP address of this replica."""
    identity: str = Field(default="", validation_alias="POD_NAME")
    """Holder identity in the Lease; the hostname when empty."""
    lease_duration_seconds: int = Field(default=10, ge=3, le=300)
    """Seconds after which another replica may acquire a Lease that was not renewed."""
    workers: int = Field(default=8, ge=1, le=64)
    """Number of objects that are reconciled at the same time."""
    object_metrics: Literal["Enabled", "Disabled"] = "Disabled"
    """Whether /metrics has series of each GrpcService and GrpcGateway, with their names. Enable it
    only where a NetworkPolicy says who may scrape."""
    resync_seconds: float = Field(default=600, ge=1)
    """Seconds between two resyncs, which list every watched object."""

    @property
    def xds_host(self) -> str:
        """DNS name at which proxies reach the xDS server, which its certificate is for."""
        return self.xds_address.rpartition(":")[0] or "localhost"

    @field_validator("xds_address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^:/\s]+:[0-9]{1,5}", value):
            raise ValueError("must be HOST:PORT, such as grpc-operator-xds.grpc.svc:18000")
        return value

    @field_validator("watch_namespaces", "service_pods_may", "gateway_pods_may", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("watch_namespaces")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(_NAME, name):
                raise ValueError(f"{name!r} is not a namespace name; separate names by commas")
        return value
