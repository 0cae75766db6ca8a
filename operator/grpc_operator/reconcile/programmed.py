"""The condition Programmed: do all proxies of the gateway serve this, and does it work?"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grpc_operator import probe
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.controlplane.attachment_state import Edge
from grpc_operator.controlplane.control_plane import probe_host
from grpc_operator.engine.store import Store
from grpc_operator.reconcile.addresses import proxy_target
from grpc_operator.resources import Key
from grpc_operator.status.observed import Verdict
from grpc_operator.status.urls import rest_path

PROBE_AGAIN = 1.0
"""Seconds until a service that did not answer SERVING is called again."""
_MOST_PROBES = 5
_SERVING = "health SERVING"

LOOK_AGAIN = 0.5
"""Seconds until proxies that are connected to another replica are asked again."""


class Proxy(Protocol):
    """What is known of one connected proxy."""

    @property
    def node(self) -> str:
        """Name of its pod."""

    @property
    def tokens(self) -> Mapping[Key, str]:
        """What it has taken over completely, by service."""

    @property
    def rejected(self) -> Mapping[Key | None, str]:
        """What it refuses, in its own words, by service; ``None``: of every service."""


class Proxies(Protocol):
    """The proxies of all replicas of the operator."""

    def of(self, gateway: Key, service: Key) -> Awaitable[Sequence[Proxy]]:
        """Returns the connected proxies of a gateway with what concerns one service."""


@dataclass(frozen=True)
class Outcome:
    """The condition, and when it is worth another look."""

    verdict: Verdict
    again: float | None = None


class Programmed:
    """Finds out whether a service is served.

    Args:
        store: What the cluster holds.
        proxies: Who is connected.
    """

    def __init__(self, store: Store, proxies: Proxies) -> None:
        self._store = store
        self._proxies = proxies
        self._probed: dict[Key, tuple[str, str]] = {}
        self._tries: dict[Key, int] = {}

    def forget(self, key: Key) -> None:
        """Ends the memory of a service that is gone."""
        self._probed.pop(key, None)
        self._tries.pop(key, None)

    async def look(
        self, key: Key, service: GrpcService, edge: Edge | None, gateway: GrpcGateway | None
    ) -> Outcome:
        """Returns the condition of a service that wants to be at a gateway.

        Args:
            key: The service's.
            service: As it is now.
            edge: What was last built from it, if anything was.
            gateway: The gateway of the edge, if it is still there.
        """
        if edge is None or edge.generation != service.metadata.generation:
            return _pending("This generation has not been built yet")
        if edge.gateway is None or edge.attachment is None or edge.token is None:
            return _pending("Nothing can be served before ResolvedRefs and Accepted hold")
        if edge.conflicts:
            text = "; ".join(str(problem) for problem in edge.conflicts)
            return Outcome(Verdict("False", "Conflicted", text, stalled=True))
        if edge.endpoints == 0 and (service.spec.replicas or service.spec.autoscaling):
            return _pending("No pod is in the EndpointSlices of the Service yet", "NoEndpoints")
        proxies = await self._proxies.of(edge.gateway, key)
        missing = _missing(key, edge, proxies)
        if missing is not None:
            return missing
        seen = await self._probe(key, service, edge, gateway)
        text = f"{len(proxies)} of {len(proxies)} proxies of {_name(edge)} serve this generation"
        verdict = Verdict("True", "Programmed", f"{text}; {seen}")
        return Outcome(verdict, None if key in self._probed else PROBE_AGAIN)

    async def _probe(
        self, key: Key, service: GrpcService, edge: Edge, gateway: GrpcGateway | None
    ) -> str:
        """Returns what calls through a proxy say; the same as long as nothing has changed."""
        target = proxy_target(self._store, gateway) if gateway is not None else None
        stamp = f"{edge.token}@{target}"
        known = self._probed.pop(key, None)
        if known is not None and known[0] == stamp:
            self._probed[key] = known
            return known[1]
        if gateway is None or target is None:
            text = "not tried through a proxy: none of its plain-text listeners is ready"
        else:
            text = f"through a proxy: {await _called(service, edge, gateway, target)}"
        self._tries[key] = self._tries.get(key, 0) + 1
        if _SERVING in text or self._tries[key] >= _MOST_PROBES:
            self._probed[key] = (stamp, text)
            del self._tries[key]
        return text


async def _called(service: GrpcService, edge: Edge, gateway: GrpcGateway, target: str) -> str:
    """Calls a service through a proxy and returns what came of it."""
    assert edge.attachment is not None  # noqa: S101 - else there would be no token
    name = service.spec.probes.readiness.service or ""
    cluster = edge.attachment.cluster
    said = [f"health {await probe.health(target, probe_host(gateway), cluster, name)}"]
    path = rest_path(edge.attachment) if edge.attachment.rest is not None else None
    if path is not None:
        host = (edge.attachment.hostnames or (gateway.spec.listeners[0].hostname or target,))[0]
        host = host.replace("*", "any", 1)
        said.append(f"GET {path} {await probe.rest(target, host, path)}")
    return ", ".join(said)


def _missing(key: Key, edge: Edge, proxies: Sequence[Proxy]) -> Outcome | None:
    """Returns what keeps the proxies from serving a service, or ``None`` when all do."""
    if not proxies:
        return _pending(f"No proxy of {_name(edge)} is connected", "NoProxies")
    # What a proxy refuses matters only while it does not serve what is asked for: a table is
    # shared, and somebody else's part of it may be what is wrong with its newest version.
    behind = [proxy for proxy in proxies if proxy.tokens.get(key) != edge.token]
    for proxy in behind:
        words = proxy.rejected.get(key) or proxy.rejected.get(None)
        if words is not None:
            return Outcome(Verdict("False", "Rejected", f"Proxy {proxy.node} refused it: {words}"))
    if behind:
        done = len(proxies) - len(behind)
        text = f"{done} of {len(proxies)} proxies of {_name(edge)} serve this generation"
        return _pending(text)
    return None


def _name(edge: Edge) -> str:
    return f"GrpcGateway {edge.gateway.namespaced_name if edge.gateway else ''}"


def _pending(message: str, reason: str = "Programming") -> Outcome:
    return Outcome(Verdict("False", reason, message), LOOK_AGAIN)
