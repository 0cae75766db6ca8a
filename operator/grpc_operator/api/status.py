"""What the operator reports about a GrpcService."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_map


class Condition(ApiModel):
    """One aspect of the observed state, shaped like metav1.Condition."""

    type: str = Field(min_length=1, max_length=316)
    """Name of the aspect: Accepted, Available, Ready, Reconciling or Stalled."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    observed_generation: int = Field(ge=0)
    """The `metadata.generation` this condition was computed from."""
    last_transition_time: str = Field(json_schema_extra={"format": "date-time"})
    """When `status` last changed."""
    reason: str = Field(min_length=1, max_length=1024)
    """CamelCase word for machines."""
    message: str = Field(max_length=32768)
    """Sentence for people."""


class GrpcServiceStatus(ApiModel):
    """Observed state. Follows kstatus: no `phase`, conditions carry the generation they saw."""

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the operator's first look."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), Available (calls can be served), Ready (everything asked for
    is running), and the kstatus pair Reconciling and Stalled."""
    url: str | None = Field(default=None, max_length=1024)
    """Target for gRPC clients inside the cluster, such as
    `dns:///users-headless.default.svc.cluster.local:50051`."""
    replicas: int | None = None
    """Pods that exist."""
    ready_replicas: int | None = None
    """Pods that are ready to serve."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and wanted pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""
