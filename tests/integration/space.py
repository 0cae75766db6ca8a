"""The namespace of one test: its GrpcServices, their children, and the kubelet's stand-in."""

import uuid
from dataclasses import dataclass
from typing import Any

from grpc_operator import labels
from grpc_operator.resources import (
    CHILDREN,
    DEPLOYMENTS,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    OWNERS,
    Manifest,
    Resource,
)
from tests.integration.api import NAMESPACES, Api
from tests.integration.pods import Kubelet
from tests.waiting import wait_until

_VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink", "since"}
_ASSIGNED = {"clusterIP", "clusterIPs", "generation", "deployment.kubernetes.io/revision"}
_VOLATILE_ENDS = ("Generation", "Time", "-hash")


@dataclass
class Space:
    """A namespace that nobody else uses."""

    api: Api
    name: str
    kubelet: Kubelet

    @classmethod
    def create(cls, api: Api) -> "Space":
        """Makes the namespace and starts the kubelet of its pods."""
        name = f"it-{uuid.uuid4().hex[:8]}"
        api.create(NAMESPACES, None, {"metadata": {"name": name}})
        return cls(api, name, Kubelet(api, name))

    def close(self) -> None:
        """Lets the namespace go; does not wait for it."""
        self.kubelet.stop()
        for owner in OWNERS:
            self.api.send("DELETE", owner.path(self.name))
        self.api.delete(NAMESPACES, None, self.name)

    def service(self, name: str = "users", **spec: Any) -> Manifest:
        """Returns a GrpcService of two replicas, changed by ``spec``."""
        return {
            "apiVersion": GRPC_SERVICES.api_version,
            "kind": GRPC_SERVICES.kind,
            "metadata": {"name": name, "namespace": self.name},
            "spec": {"image": "user-service:0.1.0", "replicas": 2, **spec},
        }

    def gateway(self, name: str = "default", **spec: Any) -> Manifest:
        """Applies a GrpcGateway."""
        return self.api.apply(
            {
                "apiVersion": GRPC_GATEWAYS.api_version,
                "kind": GRPC_GATEWAYS.kind,
                "metadata": {"name": name, "namespace": self.name},
                "spec": spec,
            }
        )

    def apply(self, name: str = "users", **spec: Any) -> Manifest:
        """Applies a GrpcService."""
        return self.api.apply(self.service(name, **spec))

    def get(self, resource: Resource, name: str) -> Manifest:
        """Returns an object.

        Raises:
            AssertionError: It does not exist.
        """
        live = self.api.get(resource, self.name, name)
        assert live is not None, f"{resource.kind} {name} does not exist"
        return live

    def live(self, name: str = "users") -> Manifest:
        """Returns a GrpcService."""
        return self.get(GRPC_SERVICES, name)

    def deployment(self, name: str = "users") -> Manifest:
        """Returns the Deployment of a GrpcService."""
        return self.get(DEPLOYMENTS, name)

    def edit(self, resource: Resource, name: str, change: Manifest) -> Manifest:
        """Changes an object by a JSON merge patch, as a hand on kubectl edit would."""
        return self.api.patch(resource, self.name, name, change)

    def delete(self, resource: Resource, name: str, policy: str = "Background") -> None:
        """Deletes an object."""
        self.api.delete(resource, self.name, name, policy)

    def wait_condition(
        self,
        type_: str,
        status: str,
        name: str = "users",
        resource: Resource = GRPC_SERVICES,
    ) -> Manifest:
        """Waits until a condition of the newest generation has a status; returns the condition."""

        def current() -> Manifest | None:
            live = self.get(resource, name)
            found = condition(live, type_)
            fresh = found.get("observedGeneration") == live["metadata"]["generation"]
            assert fresh, found
            assert found["status"] == status, found
            return found

        found = wait_until(current, f"{name} has {type_}={status}")
        assert found is not None
        return found

    def wait_ready(self, name: str = "users") -> Manifest:
        """Waits until the newest generation is Ready; returns the GrpcService."""
        self.wait_condition("Ready", "True", name)
        return self.live(name)

    def children(self, name: str = "users") -> dict[str, Manifest]:
        """Returns what exists for a GrpcService, by ``Kind/name``."""
        return {
            f"{resource.kind}/{live['metadata']['name']}": {"kind": resource.kind, **live}
            for resource in CHILDREN
            for live in self.api.list(resource, self.name)
            if (live["metadata"].get("labels") or {}).get(labels.SERVICE) == name
        }

    def end_state(self, name: str = "users") -> dict[str, Any]:
        """Returns a GrpcService and its children without what differs from run to run.

        Of the children, the status is left out: Kubernetes' controllers write it.
        """
        live = self.api.get(GRPC_SERVICES, self.name, name)
        objects = {
            key: {field: value for field, value in child.items() if field != "status"}
            for key, child in self.children(name).items()
        }
        if live is not None:
            objects["GrpcService"] = live
        words = self._words(name, objects)
        return {
            _normalised(key, words): _normalised(value, words) for key, value in objects.items()
        }

    def _words(self, name: str, objects: dict[str, Manifest]) -> dict[str, str]:
        """Returns what differs from run to run, with a stand-in: revisions are named by hashes."""
        revisions = {
            child["metadata"]["name"]: f"REVISION-{container['image']}"
            for key, child in objects.items()
            if key.startswith("Deployment/") and child["metadata"]["name"] != name
            for container in child["spec"]["template"]["spec"]["containers"][:1]
        }
        return {**revisions, self.name: "NAMESPACE", name: "NAME"}


def condition(service: Manifest, type_: str) -> dict[str, Any]:
    """Returns one condition of an object; empty when it has none of that type."""
    for entry in service.get("status", {}).get("conditions") or ():
        if entry["type"] == type_:
            return dict(entry)
    return {}


def _normalised(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _normalised(child, words)
            for key, child in value.items()
            if key not in _VOLATILE | _ASSIGNED and not key.endswith(_VOLATILE_ENDS)
        }
    if isinstance(value, list):
        return [_normalised(child, words) for child in value]
    if isinstance(value, str):
        for word, stand_in in words.items():
            value = value.replace(word, stand_in)
    return value
