"""Compute resources of a container (v1.ResourceRequirements)."""

from typing import Any

from pydantic import Field

from grpc_operator.api.base import ApiModel, list_map
from grpc_operator.api.types import Quantity


class ResourceClaim(ApiModel):
    """A device claim of the pod that the container uses (dynamic resource allocation)."""

    name: str = Field(min_length=1, max_length=63)
    """Name of an entry in `podTemplate.spec.resourceClaims`."""
    request: str | None = Field(default=None, max_length=63)
    """Name of one request of the claim; all of them when unset."""


class Resources(ApiModel):
    """Compute resources that a container requests, and its limits. A request must not exceed the
    limit of the same resource.
    """

    requests: dict[str, Quantity] | None = Field(default=None, max_length=16)
    """Resources that the scheduler reserves, such as `{cpu: 100m, memory: 64Mi}`."""
    limits: dict[str, Quantity] | None = Field(default=None, max_length=16)
    """The most that the container may use, such as `{memory: 256Mi}`."""
    claims: list[ResourceClaim] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("name")
    )
    """Device claims of the pod that the container uses, of `podTemplate.spec.resourceClaims`."""

    def requested(self, resource: str) -> Any:
        """Returns the request of a resource, which is its limit when only that is set."""
        return (self.requests or {}).get(resource, (self.limits or {}).get(resource))
