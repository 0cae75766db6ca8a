"""GrpcService: the object people write."""

from typing import Any

from pydantic import ConfigDict, Field

from grpc_operator import limits
from grpc_operator.api.base import ApiModel, list_map, rule, rules
from grpc_operator.api.container import ContainerSpec
from grpc_operator.api.gateway import Descriptor, Gateway
from grpc_operator.api.metadata import ObjectMeta, names
from grpc_operator.api.rollout import Rollout, Traffic
from grpc_operator.api.status import GrpcServiceStatus
from grpc_operator.api.types import ServiceFullName
from grpc_operator.api.workload import (
    Autoscaling,
    Client,
    Drain,
    PodDisruptionBudget,
    PodTemplate,
    ServiceAccount,
    Strategy,
)


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
                "has(self.autoscaling) || self.replicas < 2 || !has(self.podDisruptionBudget)"
                " || !has(self.podDisruptionBudget.minAvailable)"
                " || type(self.podDisruptionBudget.minAvailable) != int"
                " || self.podDisruptionBudget.minAvailable < self.replicas",
                "must be smaller than spec.replicas; otherwise no node could ever be drained",
                field=".podDisruptionBudget.minAvailable",
            ),
            rule(
                "!has(self.serviceAccount) || !has(self.serviceAccountName)",
                "must not be set beside serviceAccountName: the operator does not change that"
                " ServiceAccount",
                field=".serviceAccount",
            ),
            rule(
                "!has(self.traffic) || self.traffic.map(each, has(each.percent) ? each.percent : 0)"
                ".sum() == 100",
                "the percentages must add up to 100",
                field=".traffic",
            ),
            rule(
                "!has(self.traffic) || self.traffic.all(a, !has(a.tag)"
                " || self.traffic.filter(b, has(b.tag) && b.tag == a.tag).size() == 1)",
                "each tag may be used once",
                field=".traffic",
            ),
            rule(
                "!has(self.traffic) || !has(self.rollout) || self.rollout.strategy == 'Manual'",
                "must not be set unless spec.rollout.strategy is Manual: the other strategies set"
                " the percentages themselves",
                field=".traffic",
            ),
        )
    )

    replicas: int = Field(default=1, ge=0, le=1000)
    """Number of pods. Has no effect while `autoscaling` is set."""
    strategy: Strategy = Strategy()
    rollout: Rollout | None = None
    traffic: list[Traffic] | None = Field(
        default=None, min_length=1, max_length=8, json_schema_extra=list_map("revision")
    )
    """The share of each revision, which stays until it is changed here: a new revision gets calls
    only by `Latest`. When unset, `rollout` decides; without it all calls go to the latest pod
    template."""
    service_account_name: str | None = Field(
        default=None,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    )
    """An existing ServiceAccount of the namespace to run the pods as, which must have the
    annotation `grpc.infera.dev/allowed-grpcservices` with the name of this GrpcService, several
    separated by commas, or `*`. When unset, the operator creates one."""
    service_account: ServiceAccount | None = None
    pod_template: PodTemplate | None = None
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    autoscaling: Autoscaling | None = None
    drain: Drain = Drain()
    client: Client = Client()
    gateway: Gateway | None = None
    descriptor: Descriptor = Descriptor()
    services: list[ServiceFullName] | None = Field(
        default=None,
        max_length=limits.DESCRIPTOR_SERVICES.value,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """Full names of the gRPC services to serve at the gateway, such as `user.v1.UserService`; all
    in the descriptor when unset."""

    @property
    def has_revisions(self) -> bool:
        """Whether each pod template gets a Deployment of its own."""
        rolling = self.rollout is None or self.rollout.strategy == "RollingUpdate"
        return self.traffic is not None or not rolling


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
