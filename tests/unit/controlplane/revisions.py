"""A cluster with a GrpcService of several revisions, each with its pod, Service and descriptor."""

from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcService
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.desired.service import headless_service
from grpc_operator.engine.store import Store
from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS
from grpc_operator.resources import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    GRPC_SERVICES,
    PODS,
    SERVICES,
    Manifest,
)
from tests.unit.controlplane import Published, built, control_plane
from tests.unit.descriptor import one_file
from tests.unit.reconcile import NAMESPACE, USERS, cluster, pinned, users

STABLE, CANDIDATE = "users", "users-7f3a9c2e"
ADDRESSES = {STABLE: "198.18.0.1", CANDIDATE: "198.18.0.2"}

_SOURCE = 'syntax = "proto3"; package p; message M {{}} service S {{ {} }}'
SETS = {
    STABLE: one_file(_SOURCE.format("rpc Do(M) returns (M);")),
    CANDIDATE: one_file(_SOURCE.format("rpc Do(M) returns (M); rpc New(M) returns (M);")),
}
"""The candidate has one method more."""


def revision(name: str, role: str, percent: int, **more: Any) -> dict[str, Any]:
    """Returns an entry of ``status.revisions``."""
    return {"name": name, "role": role, "percent": percent} | more


def split(percent: int, **more: Any) -> list[dict[str, Any]]:
    """Returns the revisions of a canary with a share of the calls."""
    candidate = revision(CANDIDATE, "Candidate", percent, **more)
    return [candidate, revision(STABLE, "Stable", 100 - percent)]


class World:
    """The cluster, and the control plane that reads it."""

    def __init__(self, **spec: Any) -> None:
        self._spec = spec
        self._version = 1
        self.store: Store = cluster(users(**spec))
        for name in (STABLE, CANDIDATE):
            self.put_descriptor(name, SETS[name])
            self.put_pod(name)
            self.put_service(name)
            self.put_slice(name)
        self.published = Published()
        self.plane = control_plane(self.store, self.published, [])
        self.plane.mark_all_dirty()

    def put_status(self, *revisions: dict[str, Any], generation: int = 1, **spec: Any) -> Manifest:
        """Writes the status, or another spec, as the API server returns it."""
        made = users(generation, **(self._spec | spec))
        made["metadata"]["resourceVersion"] = self._next()
        made["status"] = {"revisions": list(revisions)}
        self.store.put(GRPC_SERVICES, made)
        self.plane.owner_changed(USERS, made)
        return made

    def put_descriptor(self, name: str, data: bytes) -> Manifest:
        """Pins a descriptor for a revision."""
        made = pinned(users(**self._spec), data)
        made["metadata"] |= {
            "name": names.descriptor_config_map(name),
            "uid": f"descriptor-{name}",
            "resourceVersion": self._next(),
        }
        self.store.put(CONFIG_MAPS, made)
        return made

    def put_pod(self, name: str, of: str = "users", **given: str) -> Manifest:
        """Adds the pod of a revision, or of another GrpcService."""
        made: Manifest = {
            "metadata": {
                "namespace": NAMESPACE,
                "name": f"{name}-0",
                "uid": f"pod-{name}",
                "resourceVersion": self._next(),
                "labels": labels.of_service(of) | {labels.REVISION: name} | given,
            },
            "status": {"phase": "Running", "podIPs": [{"ip": ADDRESSES.get(name, "198.18.0.9")}]},
        }
        self.store.put(PODS, made)
        return made

    def put_service(self, name: str) -> None:
        """Adds the headless Service of a revision."""
        made = headless_service.build(GrpcService.parse(users()))
        service = names.revision_service("users", name)
        made["metadata"] |= {
            "name": service,
            "uid": f"service-{service}",
            "resourceVersion": self._next(),
        }
        self.store.put(SERVICES, made)

    def put_slice(self, name: str, *addresses: str) -> Manifest:
        """Adds the EndpointSlice of a revision's Service."""
        service = names.revision_service("users", name)
        controller = {"kind": "Service", "name": service, "uid": f"service-{service}"}
        managed = "endpointslice.kubernetes.io/managed-by"
        made: Manifest = {
            "metadata": {
                "namespace": NAMESPACE,
                "name": f"{service}-abc",
                "uid": f"slice-{service}",
                "resourceVersion": self._next(),
                "labels": labels.of_service("users")
                | {"kubernetes.io/service-name": service}
                | {managed: "endpointslice-controller.k8s.io"},
                "ownerReferences": [controller | {"controller": True}],
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [each]} for each in addresses or (ADDRESSES[name],)],
            "ports": [{"name": "grpc", "port": 50051}],
        }
        self.store.put(ENDPOINT_SLICES, made)
        return made

    async def build(self) -> Built:
        """Builds what has changed; returns what the service is then."""
        self.plane.mark_dirty(USERS)
        await self.plane.build()
        return built(self.plane, USERS)

    @property
    def clusters(self) -> set[str]:
        """The Envoy clusters."""
        return set(self.published.snapshots[-1].resources[CLUSTER])

    def addresses(self, cluster_name: str) -> list[str]:
        """Returns where an Envoy cluster leads to."""
        made = self.published.snapshots[-1].resources[ENDPOINTS][cluster_name]
        return [each for each in ADDRESSES.values() if each.encode() in made.body.value]

    def _next(self) -> str:
        self._version += 1
        return str(self._version)
