"""The probes of the gRPC container, with every field that they have in a PodSpec (v1.Probe)."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, rule, rules
from grpc_operator.api.types import IntOrString, PortNumber

_IS_PORT = (
    "type(self.port) == int ? self.port >= 1 && self.port <= 65535"
    " : string(self.port).matches('^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$')"
)
_NOT_A_PORT = "must be a port from 1 to 65535, or the name of a port of the container"


class ExecAction(ApiModel):
    """Runs a program in the container, which succeeds with exit status 0."""

    command: list[str] = Field(min_length=1, max_length=64, json_schema_extra=list_atomic())
    """Program and arguments. It is not run in a shell."""


class GrpcAction(ApiModel):
    """Calls grpc.health.v1.Health/Check without TLS."""

    port: PortNumber | None = None
    """Port of the health service; `spec.port` when unset."""
    service: str | None = Field(default=None, max_length=253)
    """Service name in the health check request. When unset, the empty name: the health of the whole
    server."""


class HttpHeader(ApiModel):
    """A header of the request."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the header."""
    value: str = Field(max_length=4096)
    """Value of the header."""


class HttpGetAction(ApiModel):
    """Sends a GET request, which succeeds with a status from 200 to 399."""

    model_config = ConfigDict(
        json_schema_extra=rules(rule(_IS_PORT, _NOT_A_PORT, field=".port")),
    )

    port: IntOrString
    """Number or name of the port."""
    path: str | None = Field(default=None, max_length=1024)
    """Path of the request; `/` when unset."""
    scheme: Literal["HTTP", "HTTPS"] | None = None
    """`HTTP` when unset. With `HTTPS`, certificates are not verified."""
    host: str | None = Field(default=None, max_length=253)
    """Host to connect to; the pod when unset. Needs `hostProbes` in the chart value
    `podPolicy.services.allow`."""
    http_headers: list[HttpHeader] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """Headers of the request."""


class TcpSocketAction(ApiModel):
    """Opens a TCP connection, and closes it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(f"!has(self.port) || ({_IS_PORT})", _NOT_A_PORT, field=".port"),
        )
    )

    port: IntOrString | None = None
    """Number or name of the port; `spec.port` when unset."""
    host: str | None = Field(default=None, max_length=253)
    """Host to connect to; the pod when unset. Needs `hostProbes` in the chart value
    `podPolicy.services.allow`."""


_ACTIONS = "[has(self.exec), has(self.grpc), has(self.httpGet), has(self.tcpSocket)]"


class Probe(ApiModel):
    """A probe by the kubelet: a native gRPC probe (KEP-2727), unless `exec`, `httpGet` or
    `tcpSocket` is set.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"{_ACTIONS}.filter(x, x).size() <= 1",
                "set at most one of exec, grpc, httpGet and tcpSocket",
            ),
            rule(
                f"!has(self.service) || !{_ACTIONS}.exists(x, x)",
                "is for the gRPC probe on spec.port; use grpc.service, or remove exec, httpGet or"
                " tcpSocket",
                field=".service",
            ),
        )
    )

    mode: Literal["Enabled", "Disabled"] = "Enabled"
    """`Disabled` removes this probe; `podTemplate` may then have one of its own."""
    service: str | None = Field(default=None, max_length=253)
    """Service name in the health check request, such as `user.v1.UserService`: short for
    `grpc.service`. When unset, the empty name: the health of the whole server."""
    grpc: GrpcAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    exec: ExecAction | None = None
    period_seconds: int | None = Field(default=None, ge=1, le=3600)
    """Seconds between checks. When unset, the default of this probe applies."""
    timeout_seconds: int | None = Field(default=None, ge=1, le=3600)
    """Seconds after which a check times out. When unset, the default of this probe applies."""
    failure_threshold: int | None = Field(default=None, ge=1, le=1000)
    """Consecutive failures after which the probe counts as failed. When unset, the default of this
    probe applies."""
    success_threshold: int | None = Field(default=None, ge=1, le=1000)
    """Consecutive successes after which a failed probe counts as successful; 1 when unset, and
    always for startup and liveness."""
    initial_delay_seconds: int | None = Field(default=None, ge=0, le=3600)
    """Seconds from the start of the container to the first check; 0 when unset."""
    termination_grace_period_seconds: int | None = Field(default=None, ge=1, le=86400)
    """Seconds from SIGTERM to SIGKILL when this probe restarts the container. When unset, the
    termination grace period of the pod. Not for readiness, which restarts nothing."""

    @property
    def is_grpc(self) -> bool:
        """Whether the kubelet calls the health service."""
        return self.exec is None and self.http_get is None and self.tcp_socket is None

    @property
    def health_service(self) -> str | None:
        """The service name that a gRPC probe asks for; ``None`` for another probe."""
        if not self.is_grpc:
            return None
        return (self.grpc.service if self.grpc else self.service) or ""


def _restarts(probe: str) -> dict[str, Any]:
    return rule(
        f"!has(self.{probe}) || !has(self.{probe}.successThreshold)"
        f" || self.{probe}.successThreshold == 1",
        "must be 1: only readiness counts successes",
        field=f".{probe}.successThreshold",
    )


class Probes(ApiModel):
    """The probes of the gRPC container: native gRPC probes (KEP-2727), or others. All three are
    enabled, with defaults that suit most servers.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            _restarts("startup"),
            _restarts("liveness"),
            rule(
                "!has(self.readiness) || !has(self.readiness.terminationGracePeriodSeconds)",
                "must not be set: a readiness probe restarts nothing",
                field=".readiness.terminationGracePeriodSeconds",
            ),
        )
    )

    startup: Probe = Probe()
    """The other two probes wait until this one succeeds. Default: every second, timeout 1 s, up to
    120 failures."""
    readiness: Probe = Probe()
    """Whether the pod receives calls. Default: every 2 seconds, timeout 2 s, 3 failures."""
    liveness: Probe = Probe()
    """Restarts a server that hangs. Default: every 10 seconds, timeout 5 s, 3 failures."""

    def by_name(self) -> dict[str, Probe]:
        """Returns the probes by the names of their fields."""
        return {"startup": self.startup, "readiness": self.readiness, "liveness": self.liveness}
