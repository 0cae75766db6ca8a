"""EndpointSlices (discovery.k8s.io/v1) -> the addresses that calls go to."""

from collections.abc import Iterable, Iterator
from typing import Any

from grpc_operator.gateway.ir import Endpoint
from grpc_operator.names import CONTAINER
from grpc_operator.resources import Manifest

_FAMILIES = ("IPv4", "IPv6")


def endpoints(slices: Iterable[Manifest]) -> tuple[Endpoint, ...]:
    """Returns the addresses of a service's gRPC port, sorted, each once.

    Ready ones take calls. Those that serve while they terminate are drained, unless nothing is
    ready: then they take calls, as kube-proxy lets them (KEP-1669). Anything else is left out.

    Args:
        slices: The EndpointSlices of one Service, in any order. A pod may stand in several of them
            while the endpoint slice controller moves it; it is ready if it is ready in one.
    """
    states: dict[str, dict[tuple[str, int], str]] = {"ready": {}, "terminating": {}}
    for manifest in slices:
        for state, place, zone in _of_slice(manifest):
            states[state][place] = zone
    ready = states["ready"]
    terminating = {
        place: zone for place, zone in states["terminating"].items() if place not in ready
    }
    found = [Endpoint(*place, zone=zone) for place, zone in ready.items()]
    found += [
        Endpoint(*place, draining=bool(ready), zone=zone) for place, zone in terminating.items()
    ]
    return tuple(sorted(found, key=lambda endpoint: (endpoint.address, endpoint.port)))


def _of_slice(manifest: Manifest) -> Iterator[tuple[str, tuple[str, int], str]]:
    if manifest.get("addressType") not in _FAMILIES:
        return
    ports = [
        port["port"]
        for port in manifest.get("ports") or ()
        if port.get("name") == CONTAINER and port.get("port")
    ]
    for entry in manifest.get("endpoints") or ():
        state = _state(entry.get("conditions") or {})
        for address in entry.get("addresses") or () if state else ():
            for port in ports:
                yield state, (address, port), entry.get("zone") or ""


def _state(conditions: dict[str, Any]) -> str:
    """Returns ``ready``, ``terminating`` or nothing.

    ``ready`` that is absent means yes, ``serving`` that is absent means the same as ``ready``
    (discovery/v1 EndpointConditions).
    """
    if conditions.get("ready") is not False:
        return "ready"
    return "terminating" if conditions.get("serving") and conditions.get("terminating") else ""
