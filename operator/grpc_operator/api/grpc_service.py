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
    """Returns CEL that is true when a request is set, or a limit, which is then the request."""
    given = (
        f"(has(self.resources.{field}) && '{resource}' in self.resources.{field})"
        for field in ("requests", "limits")
    )
    return f"(has(self.resources) && ({' || '.join(given)}))"


class GrpcServiceSpec(ContainerSpec):
    """Desired state: the gRPC server to run, and how to reach it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.metrics) || self.metrics.port != self.port",
                "must differ from spec.port: gRPC and metrics cannot share a port",
                field=".metrics.port",
            ),
            rule(
                "!has(self.autoscaling) || has(self.autoscaling.memoryUtilizationPercent)"
                f" || has(self.autoscaling.metrics) || {_requested('cpu')}",
                "scaling by CPU requires spec.resources.requests.cpu, which the percentage refers"
                " to",
                field=".autoscaling",
            ),
            *(
                rule(
                    f"!has(self.autoscaling) || !has(self.autoscaling.{resource}UtilizationPercent)"
                    f" || {_requested(resource)}",
                    f"requires spec.resources.requests.{resource}, which the percentage refers to",
                    field=f".autoscaling.{resource}UtilizationPercent",
                )
                for resource in ("cpu", "memory")
            ),
            rule(
                "has(self.autoscaling) || self.replicas < 2 || !has(self.podDisruptionBudget)"
                " || !has(self.podDisruptionBudget.minAvailable)"
                " || type(self.podDisruptionBudget.minAvailable) != int"
                " || self.podDisruptionBudget.minAvailable < self.replicas",
                "must be smaller than spec.replicas; otherwise no node could ever be drained",
                field=".podDisruptionBudget.minAvailable",
            ),
        )
    )

    replicas: int = Field(default=1, ge=0, le=1000)
    """Number of pods. Has no effect while `autoscaling` is set."""
    pod_template: PodTemplate | None = None
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    autoscaling: Autoscaling | None = None
    drain: Drain = Drain()
    client: Client = Client()
    gateway: Gateway | None = None
    descriptor: Descriptor = Descriptor()
    services: list[ServiceFullName] | None = Field(
        default=None, max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Full names of the gRPC services to serve at the gateway, such as `user.v1.UserService`; all
    in the descriptor when unset."""


class GrpcService(ApiModel):
    """Runs a gRPC server. The operator creates a Deployment with gRPC probes, a headless Service
    for client-side load balancing, a ClusterIP Service, a PodDisruptionBudget, and a ConfigMap
    from which clients configure themselves.
    """

    model_config = ConfigDict(json_schema_extra=names(example="users", child="NAME-headless"))

    metadata: ObjectMeta
    spec: GrpcServiceSpec
    status: GrpcServiceStatus = GrpcServiceStatus()

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> "GrpcService":
        """Reads an object as the API server returned it.

        Raises:
            pydantic.ValidationError: A value is outside the schema; possible only when the
                installed CRD is not the one this operator was built with.
        """
        return cls.model_validate(manifest)
