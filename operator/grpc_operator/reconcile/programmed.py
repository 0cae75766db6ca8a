"""The condition Programmed: whether all proxies of the gateway serve a service, and it works."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grpc_operator import probe
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import AttachmentState, Built, generation_of
from grpc_operator.engine.store import Store
from grpc_operator.gateway.listeners import probe_host
from grpc_operator.reconcile.addresses import proxy_target
from grpc_operator.resources import Key
from grpc_operator.status.observed import ConditionResult
from grpc_operator.status.urls import rest_path

PROBE_PERIOD = 1.0
"""Seconds until a service that did not answer SERVING is called again."""
_MOST_PROBES = 5
_SERVING = "health SERVING"

PROXIES_PERIOD = 0.5
"""Seconds until proxies that are connected to another replica are asked again."""


class Proxy(Protocol):
    """What is known of one connected proxy."""

    @property
    def node(self) -> str:
        """Name of its pod."""

    @property
    def config_hashes(self) -> Mapping[Key, str]:
        """What it has applied completely, by service."""

    @property
    def rejected(self) -> Mapping[Key | None, str]:
        """What it rejects, in its own words, by service; ``None``: of every service."""


class Proxies(Protocol):
    """The proxies of all replicas of the operator."""

    def of(self, gateway: Key, service: Key) -> Awaitable[Sequence[Proxy]]:
        """Returns the connected proxies of a gateway with what concerns one service."""


@dataclass(frozen=True)
class Outcome:
    """The condition, and the seconds until it is to be checked again."""

    verdict: ConditionResult
    requeue_after: float | None = None


class Programmed:
    """Checks whether services are served.

    Args:
        store: What the cluster holds.
        proxies: The connected proxies.
    """

    def __init__(self, store: Store, proxies: Proxies) -> None:
        self._store = store
        self._proxies = proxies
        self._probed: dict[Key, tuple[str, str]] = {}
        self._tries: dict[Key, int] = {}

    def forget(self, key: Key) -> None:
        """Forgets a service that is gone."""
        self._probed.pop(key, None)
        self._tries.pop(key, None)

    async def check(
        self,
        key: Key,
        service: GrpcService,
        state: AttachmentState | None,
        gateway: GrpcGateway | None,
    ) -> Outcome:
        """Returns the condition of a service that asks for a gateway.

        Args:
            key: The service's.
            service: As it is now.
            state: What was last built of it, if anything was.
            gateway: The gateway that it is attached to, if that still exists.
        """
        if state is None or generation_of(state) != service.metadata.generation:
            return _pending("This generation has not been built yet")
        if not isinstance(state, Built) or state.config_hash is None:
            return _pending("Nothing can be served before ResolvedRefs and Accepted are True")
        if state.conflicts:
            text = "; ".join(str(problem) for problem in state.conflicts)
            return Outcome(ConditionResult("False", Reason.CONFLICTED, text, stalled=True))
        if state.endpoints == 0 and (service.spec.replicas or service.spec.autoscaling):
            return _pending(
                "No pod is in the EndpointSlices of the Service yet", Reason.NO_ENDPOINTS
            )
        proxies = await self._proxies.of(state.attached.gateway, key)
        missing = _missing(key, state, proxies)
        if missing is not None:
            return missing
        answer = await self._probe(key, service, state, gateway)
        text = f"{len(proxies)} of {len(proxies)} proxies of {_name(state)} serve this generation"
        verdict = ConditionResult("True", Reason.PROGRAMMED, f"{text}; {answer}")
        return Outcome(verdict, None if key in self._probed else PROBE_PERIOD)

    async def _probe(
        self, key: Key, service: GrpcService, state: Built, gateway: GrpcGateway | None
    ) -> str:
        """Returns how calls through a proxy end; the same as long as nothing has changed."""
        target = proxy_target(self._store, gateway) if gateway is not None else None
        stamp = f"{state.config_hash}@{target}"
        known = self._probed.pop(key, None)
        if known is not None and known[0] == stamp:
            self._probed[key] = known
            return known[1]
        if gateway is None or target is None:
            text = "not tried through a proxy: none of its plain-text listeners is ready"
        else:
            text = f"through a proxy: {await _called(service, state, gateway, target)}"
        self._tries[key] = self._tries.get(key, 0) + 1
        if _SERVING in text or self._tries[key] >= _MOST_PROBES:
            self._probed[key] = (stamp, text)
            del self._tries[key]
        return text


async def _called(service: GrpcService, state: Built, gateway: GrpcGateway, target: str) -> str:
    """Calls a service through a proxy and returns how that ended."""
    attachment = state.attached.attachment
    assert attachment is not None  # noqa: S101 - else there would be no config hash
    name = service.spec.probes.readiness.service or ""
    cluster = attachment.cluster
    results = [f"health {await probe.health(target, probe_host(gateway), cluster, name)}"]
    path = rest_path(attachment) if attachment.rest is not None else None
    if path is not None:
        host = (attachment.hostnames or (gateway.spec.listeners[0].hostname or target,))[0]
        host = host.replace("*", "any", 1)
        results.append(f"GET {path} {await probe.rest(target, host, path)}")
    return ", ".join(results)


def _missing(key: Key, state: Built, proxies: Sequence[Proxy]) -> Outcome | None:
    """Returns what keeps the proxies from serving a service, or ``None`` when all do."""
    if not proxies:
        return _pending(f"No proxy of {_name(state)} is connected", Reason.NO_PROXIES)
    # What a proxy rejects matters only while it does not serve what is asked for: a table is
    # shared, and somebody else's part of it may be what is wrong with its newest version.
    behind = [proxy for proxy in proxies if proxy.config_hashes.get(key) != state.config_hash]
    for proxy in behind:
        error = proxy.rejected.get(key) or proxy.rejected.get(None)
        if error is not None:
            text = f"Proxy {proxy.node} rejected it: {error}"
            return Outcome(ConditionResult("False", Reason.REJECTED_BY_PROXY, text))
    if behind:
        done = len(proxies) - len(behind)
        text = f"{done} of {len(proxies)} proxies of {_name(state)} serve this generation"
        return _pending(text)
    return None


def _name(state: Built) -> str:
    return f"GrpcGateway {state.attached.gateway.namespaced_name}"


def _pending(message: str, reason: Reason = Reason.PENDING) -> Outcome:
    return Outcome(ConditionResult("False", reason, message), PROXIES_PERIOD)
