"""Which EndpointSlices are believed, and as far as they name pods that are known.

A gateway may reach every pod of the cluster, and the people who may write EndpointSlices in their
namespace may not: an address that nobody checks would take a call, with its headers, to the pod of
another namespace (CVE-2021-25740 is the same for load balancers). Labels and owner references of a
slice prove little, since whoever can write the slice can write those. What they cannot write is the
address in the status of a pod: that is the kubelet's, and no built-in role grants ``pods/status``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from grpc_operator import labels, names
from grpc_operator.api.metadata import ObjectMeta
from grpc_operator.controlplane import revision_pods
from grpc_operator.engine.store import Store
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.ir import Endpoint
from grpc_operator.resources import ENDPOINT_SLICES, GRPC_SERVICES, PODS, SERVICES, Key, Manifest

_CONTROLLER = "endpointslice-controller.k8s.io"
_ENDED = {"Succeeded", "Failed"}
"""Phases of a pod whose address may already be another pod's."""


def of_service(store: Store, key: Key) -> tuple[Endpoint, ...]:
    """Returns the endpoints of a GrpcService that has one revision.

    They are those of the endpoint slice controller, for the headless Service that this very
    GrpcService owns. Their addresses are those of pods of the same namespace with the labels of the
    GrpcService that have not ended.
    """
    found = _slices(store, key, names.headless_service(key.name))
    return endpoints(_only(found, store.belonging(key, PODS)))


def of_revisions(
    store: Store, key: Key, revisions: Iterable[str]
) -> Mapping[str, tuple[Endpoint, ...]]:
    """Returns the endpoints of a GrpcService by revision.

    Each revision has a headless Service of its own. As long as the endpoint slice controller knows
    no pod of it, those of the GrpcService's headless Service count, which selects one of the
    revisions. Beside the rules of ``of_service``, an address is that of a pod of the revision.
    """
    pods = store.belonging(key, PODS)
    shared = _slices(store, key, names.headless_service(key.name))
    found: dict[str, tuple[Endpoint, ...]] = {}
    for revision in revisions:
        known = revision_pods.of_revision(pods, key.name, revision)
        own = _slices(store, key, names.revision_service(key.name, revision))
        found[revision] = endpoints(_only(own, known)) or endpoints(_only(shared, known))
    return found


def addresses(pod: Mapping[str, Any] | None) -> frozenset[str]:
    """Returns the addresses at which a pod may be called; none once it has ended."""
    status = (pod or {}).get("status") or {}
    if status.get("phase") in _ENDED:
        return frozenset()
    return frozenset(entry["ip"] for entry in status.get("podIPs") or () if entry.get("ip"))


def _slices(store: Store, key: Key, name: str) -> list[Manifest]:
    """Returns the EndpointSlices of a Service, if a GrpcService owns that."""
    manifest = store.get(GRPC_SERVICES, key.namespace, key.name)
    if manifest is None:
        return []
    owner = ObjectMeta.model_validate(manifest["metadata"])
    service = store.owned(SERVICES, owner, name)
    if service is None:
        return []
    return [each for each in store.belonging(key, ENDPOINT_SLICES) if _is_for(each, service)]


def _only(slices: Iterable[Manifest], pods: Iterable[Manifest]) -> list[Manifest]:
    """Returns EndpointSlices without the endpoints that are not these pods."""
    known = frozenset[str]().union(*(addresses(pod) for pod in pods))
    return [
        {**each, "endpoints": [one for one in each.get("endpoints") or () if _is_of(one, known)]}
        for each in slices
    ]


def _is_for(manifest: Manifest, service: Manifest) -> bool:
    given = manifest["metadata"].get("labels") or {}
    return (
        given.get("endpointslice.kubernetes.io/managed-by") == _CONTROLLER
        and given.get("kubernetes.io/service-name") == service["metadata"]["name"]
        and labels.controller_uid(manifest) == service["metadata"]["uid"]
    )


def _is_of(endpoint: Mapping[str, Any], known: frozenset[str]) -> bool:
    return set(endpoint.get("addresses") or ()) <= known
