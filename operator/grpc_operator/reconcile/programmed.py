"""The condition Programmed: whether all proxies of the gateway serve a service, and it works."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator import probe
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import AttachmentState, Built, generation_of
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.gateway.listeners import probe_host
from grpc_operator.reconcile.addresses import proxy_target
from grpc_operator.reconcile.serving_proxies import Proxies, Serving, ServingProxies
from grpc_operator.resources import GRPC_SERVICES, Key
from grpc_operator.status.observed import ConditionResult

PROBE_PERIOD = 1.0
"""Seconds until a service that did not answer SERVING is called again."""
_MOST_PROBES = 5
_SERVING = "health SERVING"


@dataclass(frozen=True)
class Outcome:
    """The condition, and the seconds until it is to be checked again.

    Attributes:
        proxies: ``status.proxies``; ``None`` when nothing is known of them.
    """

    verdict: ConditionResult
    requeue_after: float | None = None
    proxies: Mapping[str, Any] | None = None


class Programmed:
    """Checks whether services are served.

    Args:
        store: What the cluster holds.
        proxies: The connected proxies.
        calls: Where calls through a proxy are made.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        proxies: Proxies,
        calls: Calls[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self._store = store
        self._proxies = ServingProxies(store, proxies, clock)
        self._probed: dict[Key, tuple[str, str]] = {}
        self._tries: dict[Key, int] = {}
        self._answers: dict[Key, str] = {}

    def forget(self, key: Key) -> None:
        """Forgets a service that is gone."""
        self._probed.pop(key, None)
        self._tries.pop(key, None)
        self._answers.pop(key, None)
        self._calls.forget(key)
        self._proxies.forget(key)

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
        if not isinstance(state, Built):
            return _pending(_UNRESOLVED)
        unserved = _unserved(service, state)
        if unserved is not None:
            return unserved
        proxies = await self._proxies.of(state.attached.gateway, key, state.config_hash)
        return _problem(state, proxies) or self._served(key, service, state, gateway, proxies)

    async def has_weights(
        self, key: Key, state: AttachmentState | None, weights: Mapping[str, int]
    ) -> bool:
        """Returns whether every ready proxy has exactly these percentages of the revisions.

        Args:
            key: The service's.
            state: What was last built of it, if anything was.
            weights: By revision.
        """
        if not isinstance(state, Built) or state.weights != weights:
            return False
        proxies = await self._proxies.of(state.attached.gateway, key, state.config_hash)
        return proxies.ready > 0 and not proxies.behind

    def _served(
        self,
        key: Key,
        service: GrpcService,
        state: Built,
        gateway: GrpcGateway | None,
        proxies: Serving,
    ) -> Outcome:
        """Returns the condition when no proxy is known not to serve the service."""
        before = self._before(key, state, proxies)
        if proxies.behind:
            text = f"{_counted(state, proxies)} this generation"
            return before or _pending(text, proxies=proxies)
        answer = self._probe(key, service, state, gateway)
        if answer is None:
            return before or _pending("A call through a proxy has not ended yet", proxies=proxies)
        text = f"{_counted(state, proxies)} this generation; {answer}"
        requeue_after = None if key in self._probed else PROBE_PERIOD
        return Outcome(
            ConditionResult("True", Reason.PROGRAMMED, text), requeue_after, proxies.details
        )

    def _before(self, key: Key, state: Built, proxies: Serving) -> Outcome | None:
        """Returns what was reported of this generation and descriptor, if it was served.

        It stays while proxies apply a change, and until the calls of this process have ended.
        """
        manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name) or {}
        status = manifest.get("status", {})
        descriptor = state.attached.descriptor
        if descriptor is not None and (
            status.get("descriptor", {}).get("sha256", descriptor.sha256) != descriptor.sha256
        ):
            return None
        for each in status.get("conditions") or ():
            same = each.get("observedGeneration") == state.attached.generation
            if same and (each["type"], each["status"]) == ("Programmed", "True"):
                verdict = ConditionResult("True", Reason.PROGRAMMED, each["message"])
                return Outcome(verdict, proxies.requeue_after, status.get("proxies"))
        return None

    def _probe(
        self, key: Key, service: GrpcService, state: Built, gateway: GrpcGateway | None
    ) -> str | None:
        """Returns how calls through a proxy ended; the same as long as nothing has changed.

        They are made beside the workers; until the first have ended, ``None``.
        """
        target = proxy_target(self._store, gateway) if gateway is not None else None
        descriptor = state.attached.descriptor
        sha256 = descriptor.sha256 if descriptor is not None else ""
        stamp = f"{state.attached.generation}/{state.stable}/{sha256}@{target}"
        known = self._probed.pop(key, None)
        if known is not None and known[0] == stamp:
            self._probed[key] = known
            return known[1]
        if gateway is None or target is None:
            text = "not tried through a proxy: none of its plain-text listeners is ready"
        else:
            found = self._calls.result(key, stamp, lambda: _called(service, state, gateway, target))
            if found is None:
                return self._answers.get(key)
            text = f"through a proxy: {found}"
        self._answers[key] = text
        self._tries[key] = self._tries.get(key, 0) + 1
        if _SERVING in text or self._tries[key] >= _MOST_PROBES:
            self._probed[key] = (stamp, text)
            del self._tries[key]
        return text


async def _called(service: GrpcService, state: Built, gateway: GrpcGateway, target: str) -> str:
    """Calls the health service through a proxy and returns how that ended.

    Never a method of the service's own: a call may cost, and change something.
    """
    served = state.served
    assert served is not None  # noqa: S101 - else there would be no config hash
    cluster, *_ = served.attachment.clusters  # of the stable revision
    name = service.spec.probes.readiness.service or ""
    health = await probe.health(target, probe_host(gateway), cluster, name)
    return f"health {health}"


_UNRESOLVED = "Nothing can be served before ResolvedRefs and Accepted are True"


def _unserved(service: GrpcService, state: Built) -> Outcome | None:
    """Returns why this generation of a service is not served, whatever the proxies have."""
    attached = state.attached
    if attached.refs or not (state.config_hash or state.conflicts):
        return _pending(_UNRESOLVED)
    if attached.invalid is not None:
        return _pending("The last valid configuration is served; Accepted says what is wrong now")
    if state.conflicts:
        text = "; ".join(str(problem) for problem in state.conflicts)
        return Outcome(ConditionResult("False", Reason.CONFLICTED, text, stalled=True))
    if state.served is None or not state.served.is_anything:
        return _pending(_UNRESOLVED)
    has_pods = state.endpoints.get(state.stable or "")
    if not has_pods and (service.spec.replicas or service.spec.autoscaling):
        return _pending("No pod is in the EndpointSlices of the Service yet", Reason.NO_ENDPOINTS)
    return None


def _problem(state: Built, proxies: Serving) -> Outcome | None:
    """Returns what keeps the proxies from serving a service, or ``None`` when nothing does."""
    if proxies.ready == 0:
        text = f"No proxy of {_name(state)} is ready"
        return _pending(text, Reason.NO_PROXIES, proxies)
    # What a proxy rejects matters only while it does not serve what is asked for: a table is
    # shared, and somebody else's part of it may be what is wrong with its newest version.
    rejecting = [each for each in proxies.behind if each.rejection is not None]
    if rejecting:
        first = rejecting[0]
        text = f"{len(rejecting)} of {proxies.ready} proxies rejected it"
        text = f"{text}; {first.node}: {first.rejection}"
        verdict = ConditionResult("False", Reason.REJECTED_BY_PROXY, text)
        return Outcome(verdict, proxies.requeue_after, proxies.details)
    if proxies.late:
        text = f"{_counted(state, proxies)} this generation; {proxies.lateness}"
        return _pending(text, Reason.WAITING_FOR_PROXIES, proxies)
    return None


def _counted(state: Built, proxies: Serving) -> str:
    return f"{proxies.serving} of {proxies.ready} proxies of {_name(state)} serve"


def _name(state: Built) -> str:
    return f"GrpcGateway {state.attached.gateway.namespaced_name}"


def _pending(
    message: str, reason: Reason = Reason.PENDING, proxies: Serving | None = None
) -> Outcome:
    verdict = ConditionResult("False", reason, message)
    if proxies is None:
        return Outcome(verdict)
    return Outcome(verdict, proxies.requeue_after, proxies.details)
