"""The status of GrpcServices and GrpcGateways."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, list_map
from grpc_operator.api.reasons import ONLY_OF_EVENTS, Reason

_REASONS = ", ".join(reason for reason in Reason if reason not in ONLY_OF_EVENTS)


class Condition(ApiModel):
    """One aspect of the observed state, in the format of metav1.Condition."""

    type: str = Field(min_length=1, max_length=316)
    """Type of the condition: Accepted, ResolvedRefs, Available, Programmed, Ready, Reconciling or
    Stalled."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    observed_generation: int = Field(ge=0)
    """The `metadata.generation` that this condition was computed from."""
    last_transition_time: str = Field(json_schema_extra={"format": "date-time"})
    """When `status` last changed."""
    reason: str = Field(
        min_length=1,
        max_length=1024,
        description=(
            f"Reason for the last transition, in CamelCase. The operator's own are {_REASONS}."
            " A reason that Kubernetes gives for the Deployment or its pods, such as"
            " ImagePullBackOff, is passed on as it is."
        ),
    )
    message: str = Field(max_length=32768)
    """Details of the last transition, for people."""


class ServiceUrl(ApiModel):
    """A URL of the service for one protocol."""

    protocol: Literal["GRPC", "GRPCWeb", "REST", "InCluster"]
    """Protocol of this URL."""
    url: str = Field(max_length=1024)
    """A `dns:///` target for gRPC, an `http://` or `https://` URL for the other protocols."""
    example: str | None = Field(default=None, max_length=2048)
    """An example command with `grpcurl` or `curl`."""


class ServedMethod(ApiModel):
    """One method as the gateway serves it."""

    name: str = Field(max_length=256)
    """Name of the method."""
    kind: Literal["Unary", "ClientStreaming", "ServerStreaming", "Bidirectional"]
    """Which side streams."""
    timeout: str | None = Field(default=None, max_length=32)
    """Timeout that applies when the client sets no deadline."""
    rest: list[str] | None = Field(default=None, max_length=16, json_schema_extra=list_atomic())
    """REST bindings, such as `GET /v1/users/{id}`."""


class ServedService(ApiModel):
    """One gRPC service as the gateway serves it."""

    name: str = Field(max_length=253)
    """Full name of the gRPC service, such as `user.v1.UserService`."""
    methods: list[ServedMethod] | None = Field(
        default=None, max_length=256, json_schema_extra=list_atomic()
    )
    """Methods of the gRPC service."""


class DescriptorStatus(ApiModel):
    """The FileDescriptorSet in use, pruned to the gRPC services that are served."""

    source: Literal["Reflection", "ConfigMap", "Inline"]
    """Source of the FileDescriptorSet."""
    sha256: str = Field(max_length=64)
    """SHA-256 digest of the pruned FileDescriptorSet."""
    bytes: int
    """Size of the pruned FileDescriptorSet."""


class GrpcServiceStatus(ApiModel):
    """Observed state. It follows kstatus: conditions instead of a `phase`, each with the generation
    that it was computed from.
    """

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the first reconciliation."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), ResolvedRefs (gateway and descriptor exist), Available (calls
    can be served), Programmed (every proxy of the gateway serves this generation), Ready (all
    desired pods run this generation), and Reconciling and Stalled of kstatus."""
    url: str | None = Field(default=None, max_length=1024)
    """Target for gRPC clients inside the cluster, such as
    `dns:///users-headless.default.svc.cluster.local:50051`."""
    urls: list[ServiceUrl] | None = Field(
        default=None, max_length=64, json_schema_extra=list_atomic()
    )
    """Every URL of the service, with an example command."""
    services: list[ServedService] | None = Field(
        default=None, max_length=32, json_schema_extra=list_map("name")
    )
    """The gRPC services that the gateway serves."""
    descriptor: DescriptorStatus | None = None
    replicas: int | None = None
    """Number of pods."""
    ready_replicas: int | None = None
    """Number of ready pods."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and desired pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""


class GrpcGatewayStatus(ApiModel):
    """Observed state. It follows kstatus: conditions instead of a `phase`, each with the generation
    that it was computed from.
    """

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the first reconciliation."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), Available (calls can be served), Programmed (every ready proxy
    is connected to the operator), Ready (all desired proxies run this generation), and Reconciling
    and Stalled of kstatus."""
    address: str | None = Field(default=None, max_length=253)
    """Address of the gateway: that of the load balancer if there is one, otherwise the DNS name of
    the Service."""
    attached_services: int | None = None
    """GrpcServices that the gateway serves."""
    proxies: int | None = None
    """Number of proxies that are connected to the operator."""
    replicas: int | None = None
    """Number of pods."""
    ready_replicas: int | None = None
    """Number of ready pods."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and desired pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""
