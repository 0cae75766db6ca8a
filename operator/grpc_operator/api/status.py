"""What the operator reports about its objects."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, list_map
from grpc_operator.api.reasons import ONLY_OF_EVENTS, Reason

_REASONS = ", ".join(reason for reason in Reason if reason not in ONLY_OF_EVENTS)


class Condition(ApiModel):
    """One aspect of the observed state, shaped like metav1.Condition."""

    type: str = Field(min_length=1, max_length=316)
    """Name of the aspect: Accepted, ResolvedRefs, Available, Programmed, Ready, Reconciling or
    Stalled."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    observed_generation: int = Field(ge=0)
    """The `metadata.generation` this condition was computed from."""
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
    """Sentence for people."""


class ServiceUrl(ApiModel):
    """One way to reach the service."""

    protocol: Literal["GRPC", "GRPCWeb", "REST", "InCluster"]
    """What is spoken."""
    url: str = Field(max_length=1024)
    """Where: a `dns:///` target for gRPC, an `http(s)://` address for the others."""
    example: str | None = Field(default=None, max_length=2048)
    """A command to paste: `grpcurl` or `curl`."""


class ServedMethod(ApiModel):
    """One method as the gateway serves it."""

    name: str = Field(max_length=256)
    """Name of the method."""
    kind: Literal["Unary", "ClientStreaming", "ServerStreaming", "Bidirectional"]
    """What streams."""
    timeout: str | None = Field(default=None, max_length=32)
    """Time limit that applies when the client sets no deadline."""
    rest: list[str] | None = Field(default=None, max_length=16, json_schema_extra=list_atomic())
    """REST bindings, such as `GET /v1/users/{id}`."""


class ServedService(ApiModel):
    """One gRPC service as the gateway serves it."""

    name: str = Field(max_length=253)
    """Full name, such as `user.v1.UserService`."""
    methods: list[ServedMethod] | None = Field(
        default=None, max_length=256, json_schema_extra=list_atomic()
    )
    """Its methods."""


class DescriptorStatus(ApiModel):
    """The FileDescriptorSet in use, pruned to what is exposed."""

    source: Literal["Reflection", "ConfigMap", "Inline"]
    """Where it came from."""
    sha256: str = Field(max_length=64)
    """Digest of the pruned set."""
    bytes: int
    """Size of the pruned set."""


class GrpcServiceStatus(ApiModel):
    """Observed state. Follows kstatus: no `phase`, conditions carry the generation they saw."""

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the operator's first look."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), ResolvedRefs (gateway and descriptor are there), Available
    (calls can be served), Programmed (every proxy of the gateway serves this generation), Ready
    (everything asked for is running), and the kstatus pair Reconciling and Stalled."""
    url: str | None = Field(default=None, max_length=1024)
    """Target for gRPC clients inside the cluster, such as
    `dns:///users-headless.default.svc.cluster.local:50051`."""
    urls: list[ServiceUrl] | None = Field(
        default=None, max_length=64, json_schema_extra=list_atomic()
    )
    """Every way to reach the service, with a command to paste."""
    services: list[ServedService] | None = Field(
        default=None, max_length=32, json_schema_extra=list_map("name")
    )
    """The gRPC services that the gateway serves."""
    descriptor: DescriptorStatus | None = None
    """The FileDescriptorSet in use."""
    replicas: int | None = None
    """Pods that exist."""
    ready_replicas: int | None = None
    """Pods that are ready to serve."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and wanted pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""


class GrpcGatewayStatus(ApiModel):
    """Observed state. Follows kstatus: no `phase`, conditions carry the generation they saw."""

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the operator's first look."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), Available (calls can be served), Programmed (every proxy has
    its configuration), Ready (everything asked for is running), and the kstatus pair Reconciling
    and Stalled."""
    address: str | None = Field(default=None, max_length=253)
    """Address of the gateway: the load balancer's, else the Service's DNS name."""
    attached_services: int | None = None
    """GrpcServices that are served."""
    proxies: int | None = None
    """Proxies that are connected to the operator."""
    replicas: int | None = None
    """Pods that exist."""
    ready_replicas: int | None = None
    """Pods that are ready to serve."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and wanted pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""
