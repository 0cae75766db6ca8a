"""What ``grpcop describe`` says of a GrpcService, as plain data."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from grpc_operator import labels
from grpc_operator.cli.live import events, health, observed
from grpc_operator.cli.live.related import Related
from grpc_operator.resources import ENDPOINT_SLICES, Manifest
from grpc_operator.status.pod_problems.pod import Pod

_MOST_BEHIND = 8
"""Proxies that ``status.proxies.behind`` lists at most (``api.status.ProxiesStatus``)."""

_LAST_EVENTS = 10


def of(found: Related, now: datetime) -> dict[str, Any]:
    """Returns everything that is known of a service.

    Args:
        found: The service and what belongs to it.
        now: The time, which says how long pods have been waiting.
    """
    service, status = found.service, health.status_of(found.service)
    namespace, name = health.name_of(service)
    spec = service.get("spec") or {}
    said = events.said(found.own_events())
    return {
        "namespace": namespace,
        "name": name,
        "created": service["metadata"].get("creationTimestamp"),
        "healthy": health.is_healthy(service),
        "image": spec.get("image"),
        "operator": status.get("operator"),
        "replicas": status.get("readySummary"),
        "inCluster": status.get("url"),
        "descriptor": status.get("descriptor"),
        "problems": [each.data() for each in health.problems(service)],
        "conditions": [dict(each) for each in health.conditions(service)],
        "rollout": status.get("rollout"),
        "revisions": status.get("revisions") or [],
        "pods": _if_known(
            found, "Pod", [_pod(each, now, events.warnings_of(said)) for each in found.pods()]
        ),
        "endpoints": _if_known(found, ENDPOINT_SLICES.kind, list(_endpoints(found))),
        "gateway": _gateway(found),
        "services": status.get("services") or [],
        "urls": status.get("urls") or [],
        "events": [each.data() for each in said[-_LAST_EVENTS:]],
        "notKnown": list(found.unreadable),
    }


def _if_known(found: Related, kind: str, made: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return made if kind in found.objects else None


def _pod(manifest: Manifest, now: datetime, warnings: Mapping[str, Any]) -> dict[str, Any]:
    pod, state = Pod(manifest), observed.of_pod(manifest, now, warnings)
    return {
        "name": pod.name,
        "revision": (pod.metadata.get("labels") or {}).get(labels.REVISION),
        "ready": pod.is_ready,
        "restarts": observed.restarts(manifest),
        "node": pod.spec.get("nodeName"),
        "address": pod.status.get("podIP"),
        "created": pod.metadata.get("creationTimestamp"),
        "reason": state.reason,
        "message": state.message,
    }


def _endpoints(found: Related) -> Iterator[dict[str, Any]]:
    """Yields each address once: several Services of a service have the same pods."""
    seen: set[tuple[str, str]] = set()
    slices = [each for each in found.all() if each["kind"] == ENDPOINT_SLICES.kind]
    for each in sorted(slices, key=lambda each: str(each["metadata"]["name"])):
        for endpoint in each.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            pod = str((endpoint.get("targetRef") or {}).get("name") or "")
            for address in endpoint.get("addresses") or ():
                if (address, pod) not in seen:
                    seen.add((address, pod))
                    yield {
                        "address": address,
                        "pod": pod,
                        "ready": conditions.get("ready") is not False,
                        "terminating": bool(conditions.get("terminating")),
                    }


def _gateway(found: Related) -> dict[str, Any] | None:
    """Returns what is known of the gateway; ``None`` if the service has none."""
    status = health.status_of(found.service)
    if not status.get("gateway"):
        return None
    counts = status.get("proxies") or {}
    address = health.status_of(found.gateway).get("address") if found.gateway else None
    return {
        "name": status["gateway"],
        "address": address,
        "hosts": status.get("hosts") or [],
        "ready": counts.get("ready"),
        "serving": counts.get("serving"),
        "behind": counts.get("behind") or [],
        "proxies": _proxies(found.proxies, counts),
    }


def _proxies(
    proxies: Sequence[Manifest] | None, counts: Mapping[str, Any]
) -> list[dict[str, Any]] | None:
    if proxies is None:
        return None
    behind = set(counts.get("behind") or ())
    listed = len(behind) < _MOST_BEHIND and "ready" in counts
    return [
        {
            "name": each["metadata"]["name"],
            "created": each["metadata"].get("creationTimestamp"),
            "configuration": _acknowledged(Pod(each), behind, listed=listed),
        }
        for each in sorted(proxies, key=lambda each: str(each["metadata"]["name"]))
    ]


def _acknowledged(pod: Pod, behind: set[str], *, listed: bool) -> str:
    """Returns whether a proxy has acknowledged the newest configuration of the service.

    Args:
        pod: The proxy.
        behind: Ready proxies that have not, according to the operator.
        listed: Whether those are all.
    """
    if not pod.is_ready or pod.is_terminating:
        return "NotReady"
    if pod.name in behind:
        return "Behind"
    return "Newest" if listed else "Unknown"
