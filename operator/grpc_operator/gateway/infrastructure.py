"""The infrastructure services that ``spec.gateway.expose`` may offer, as their protos define them.

They are not in a pruned descriptor: a gateway that offered them by default would show everybody
what the server offers and whether it is healthy.
"""

from grpc_operator.descriptor.model import Method, Service

HEALTH = "grpc.health.v1.Health"

EXPOSABLE = {
    "Health": (
        Service(
            HEALTH,
            (
                Method("Check", "Unary", idempotent=True),
                Method("List", "Unary", idempotent=True),
                Method("Watch", "ServerStreaming"),
            ),
        ),
    ),
    "Reflection": tuple(
        Service(
            f"grpc.reflection.{version}.ServerReflection",
            (Method("ServerReflectionInfo", "Bidirectional"),),
        )
        for version in ("v1", "v1alpha")
    ),
}
"""Services by value of ``spec.gateway.expose`` (grpc/grpc-proto: health.proto and others)."""

NAMES = frozenset(service.name for services in EXPOSABLE.values() for service in services)
"""Their full names."""

PROBE_CLUSTER_HEADER = "x-grpc-operator-cluster"
"""Names the Envoy cluster that the operator's own health probe is for. Envoy reads it on the probe
host only, and removes it everywhere."""

PROBE_DOMAIN = "probe.grpc.infera.dev"
"""Parent of the probe hosts, under which the operator reaches services through a proxy."""

REVISION_HEADER = "x-grpc-revision"
"""Names the tag of the revision that a call is for. Servers with tags do not get it."""
