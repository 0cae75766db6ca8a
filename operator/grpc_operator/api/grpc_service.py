"""GrpcService: the object people write."""

from typing import Any

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, rule, rules
from grpc_operator.api.container import ContainerSpec
from grpc_operator.api.gateway import Descriptor, Gateway
from grpc_operator.api.metadata import ObjectMeta, names
from grpc_operator.api.status import GrpcServiceStatus
from grpc_operator.api.types import ServiceFullName
from grpc_operator.api.workload import Autoscaling, Client, Drain, PodDisruptionBudget, PodTemplate


def _requested(resource: str) -> str:
    """Returns CEL that is true when a request, or the limit that stands in for it, is given."""
    given = (
        f"(has(self.resources.{field}) && '{resource}' in self.resources.{field})"
        for field in ("requests", "limits")
    )
    return f"(has(self.resources) && ({' || '.join(given)}))"


class GrpcServiceSpec(ContainerSpec):
    """One gRPC server image: run, probed, balanced and drained."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.metrics) || self.metrics.port != self.port",
                "must differ from spec.port: gRPC and HTTP metrics need a port each",
                field=".metrics.port",
            ),
            rule(
                "!has(self.autoscaling) || has(self.autoscaling.memoryUtilizationPercent)"
                f" || has(self.autoscaling.metrics) || {_requested('cpu')}",
                "scaling by CPU needs spec.resources.requests.cpu, which the percentage refers to",
                field=".autoscaling",
            ),
            *(
                rule(
                    f"!has(self.autoscaling) || !has(self.autoscaling.{resource}UtilizationPercent)"
                    f" || {_requested(resource)}",
                    f"needs spec.resources.requests.{resource}, which the percentage refers to",
                    field=f".autoscaling.{resource}UtilizationPercent",
                )
                for resource in ("cpu", "memory")
            ),
            rule(
                "has(self.autoscaling) || self.replicas < 2 || !has(self.podDisruptionBudget)"
                " || !has(self.podDisruptionBudget.minAvailable)"
                " || type(self.podDisruptionBudget.minAvailable) != int"
                " || self.podDisruptionBudget.minAvailable < self.replicas",
                "must be smaller than spec.replicas, or no node could ever be drained",
                field=".podDisruptionBudget.minAvailable",
            ),
        )
    )

    replicas: int = Field(default=1, ge=0, le=1000)
    """Pods to run. Has no effect while `autoscaling` is set."""
    pod_template: PodTemplate | None = None
    """Overlay on the pods for what has no field here."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """How many pods a node drain may take away at a time."""
    autoscaling: Autoscaling | None = None
    """Scale by load instead of by `replicas`."""
    drain: Drain = Drain()
    """How a pod leaves without failing calls."""
    client: Client = Client()
    """What clients are told in the ConfigMap `NAME-grpc-client`."""
    gateway: Gateway | None = None
    """Reach the service through a GrpcGateway; `{}` attaches to the one named `default`."""
    descriptor: Descriptor = Descriptor()
    """Where the gateway's routes come from."""
    services: list[ServiceFullName] | None = Field(
        default=None, max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Full names of the gRPC services to offer at the gateway; all in the descriptor when unset."""


class GrpcService(ApiModel):
    """Runs a gRPC server: a Deployment with gRPC probes, a headless Service for client-side
    balancing, a ClusterIP Service, a disruption budget, and a ConfigMap that tells clients how
    to call it.
    """

    model_config = ConfigDict(json_schema_extra=names(example="users", child="NAME-headless"))

    metadata: ObjectMeta
    spec: GrpcServiceSpec
    """What is wanted."""
    status: GrpcServiceStatus = GrpcServiceStatus()
    """What is observed."""

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> "GrpcService":
        """Reads an object as the API server returned it.

        Raises:
            pydantic.ValidationError: A value is outside the schema; possible only when the
                installed CRD is not the one this operator was built with.
        """
        return cls.model_validate(manifest)
