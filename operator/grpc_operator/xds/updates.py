"""What one proxy is sent next, without I/O: what it requested, endpoints, the steps of the plan."""

import logging
from collections.abc import Iterable, Mapping

from grpc_operator.gateway.snapshot import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPE,
    Resource,
    Snapshot,
)
from grpc_operator.xds.pending import Pending
from grpc_operator.xds.responses import Batch, follow_up
from grpc_operator.xds.shared_tables import SharedTables, Tables
from grpc_operator.xds.subscription import WILDCARD, Names, Subscription
from grpc_operator.xds.update_plan import Step, plan, stale_endpoints

logger = logging.getLogger(__name__)

_FOLLOWED_BY = {CLUSTER: (ENDPOINTS, LISTENER), LISTENER: (SCOPE,), SCOPE: (ROUTES,)}
"""Which requests a proxy makes too when it reconnects and has some of a type.

Nothing changes before all of them have arrived: no cluster may go before the routes to it, and a
changed cluster needs endpoints that the proxy may have already.
"""


class Updates:
    """Brings one proxy from the snapshot that it has to the newest one.

    Args:
        node: ``node.id`` of the proxy, for the log.
        subscriptions: By type URL; the owner keeps them up to date.
        accepted: Route tables that any proxy of the gateway accepted last; shared by all of them.

    Attributes:
        target: The snapshot that the current steps lead to.
        pending: What the next step waits for.
        complete: Whether ``next_batch`` returned ``None`` because there is nothing left to send.
    """

    def __init__(
        self, node: str, subscriptions: Mapping[str, Subscription], accepted: Tables
    ) -> None:
        self.target: Snapshot | None = None
        self.pending = Pending()
        self.complete = False
        self._node = node
        self._subscriptions = subscriptions
        self._wanted: Snapshot | None = None
        self._newest: Snapshot | None = None
        self._compared: Snapshot | None = None
        self._shared = SharedTables(accepted)
        self._published = False
        self._replan = False
        self._steps: list[Step] = []
        self._step: dict[str, Names] = {}
        self._first_wildcards: set[str] = set()

    def publish(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy should have; ``None``: it keeps what it has."""
        if snapshot is not None and snapshot is not self._compared:
            self._unsettle(snapshot.since(self._compared).names)
            self._compared = snapshot
        self._wanted = self._newest = snapshot
        self._published = True

    def _unsettle(self, names: Mapping[str, Iterable[str]]) -> None:
        for type_url, subscription in self._subscriptions.items():
            subscription.unsettled.update(names.get(type_url, ()))

    @property
    def deadline(self) -> float | None:
        """When ``next_batch`` is to be called even if nothing arrives."""
        return self.pending.deadline if self._newest else None

    def subscribed(self, type_url: str) -> None:
        """Notes the first subscription to a type."""
        subscription = self._subscriptions[type_url]
        known = self._compared.resources.get(type_url, {}) if self._compared else {}
        subscription.unsettled = {*known, *subscription.applied}
        if subscription.wildcard:
            self._first_wildcards.add(type_url)
        self._replan = True
        self.pending.discard((type_url, WILDCARD))
        if subscription.applied:
            for other in _FOLLOWED_BY.get(type_url, ()):
                if other not in self._subscriptions:
                    self.pending.add((other, WILDCARD))
        if type_url == ENDPOINTS:
            self._refresh_endpoints()

    def resubscribed(self, type_url: str, gone: Iterable[str]) -> None:
        """Notes that a subscription changed.

        Args:
            type_url: The type.
            gone: Names that the proxy unsubscribed from.
        """
        subscription = self._subscriptions[type_url]
        known = self._newest.resources.get(type_url, {}) if self._newest else {}
        for name in gone:
            self.pending.discard((type_url, name))
            if name not in known:  # or a client could have any number of them remembered
                subscription.unsettled.discard(name)
        self._replan = True

    def acknowledged(self, type_url: str, name: str, version: str | None) -> None:
        """Notes that the proxy has applied a version; ``None`` for a removal."""
        if name not in self._subscriptions[type_url].requested:
            self.pending.discard((type_url, name))
        self._catch_up(type_url, name, version)
        if type_url == ROUTES and self._shared.applied(name, version):
            self._published = True

    def rejected(self, type_url: str, name: str, version: str | None) -> bool:
        """Notes that the proxy rejected a version: what depends on it is not requested either.

        Returns:
            Whether that is all: ``False`` when the same is to be sent without what is wrong in it.
        """
        self.pending.discard((type_url, name))
        resource = self._resource(type_url, name)
        needed = follow_up(type_url, resource, self.target) if resource and self.target else None
        if needed is not None:
            self.pending.discard(needed)
        self._catch_up(type_url, name, version)
        has_some = name in self._subscriptions[type_url].applied
        searched = type_url == ROUTES and self._shared.rejected(name, version, has_some=has_some)
        self._published |= searched
        return not searched

    def next_batch(self, now: float) -> Batch | None:
        """Returns what to send next; ``None`` when there is nothing, or nothing now."""
        self.complete = False
        if self._published:  # here, not in publish: that is called for all proxies at once
            self._published = False
            if self._wanted is not None:
                self._newest = self._shared.settle(self._wanted, self._subscriptions.get(ROUTES))
                self._unsettle({ROUTES: self._shared.settled})
            self._refresh_endpoints()
        while self._newest is not None:
            batch = self._requested()
            if batch is None:
                batch = self._of_step()
            if batch is not None:
                return batch
            if self.pending.deadline is not None:
                if now < self.pending.deadline:
                    return None
                missing = self.pending.expire()
                logger.warning(
                    "Proxy %r has not acknowledged %s in time: continuing", self._node, missing
                )
            if not self._begin_step():
                self.complete = True
                return None
        return None

    def sent(self, batch: Batch) -> None:
        """Notes that a batch is in flight: the proxy requests what its resources need."""
        for resource in batch.resources:
            self._expect(batch.type_url, resource)
            if batch.type_url == ROUTES:
                self._shared.sent(resource)

    def _refresh_endpoints(self) -> None:
        subscription = self._subscriptions.get(ENDPOINTS)
        if subscription is not None and self._newest is not None:
            for name in stale_endpoints(subscription, self._newest):
                if name not in subscription.in_flight:
                    subscription.resend(name)

    def _catch_up(self, type_url: str, name: str, version: str | None) -> None:
        """Sends a resource again that changed while a version of it was in flight."""
        resource = self._resource(type_url, name)
        if version == (resource.version if resource else None):
            return
        if type_url == ENDPOINTS and resource is not None:
            self._subscriptions[type_url].resend(name)
        else:
            self._replan = True

    def _resource(self, type_url: str, name: str) -> Resource | None:
        snapshot = self._newest if type_url == ENDPOINTS else self.target
        return snapshot.resources.get(type_url, {}).get(name) if snapshot else None

    def _requested(self) -> Batch | None:
        """Returns what the proxy requested by name and does not have, or endpoints."""
        if self.target is None:
            self.target = self._newest
        while self._first_wildcards:
            # Envoy waits for a response to its first wildcard request, even an empty one.
            type_url = self._first_wildcards.pop()
            if self.target is not None and not self.target.resources.get(type_url):
                return Batch(type_url)
        for type_url, subscription in self._subscriptions.items():
            batch = Batch(type_url)
            if subscription.retry_singly:
                while subscription.retry_singly and not batch:
                    self._add(batch, subscription.retry_singly.popitem(last=False)[0])
            else:
                while subscription.requested and not batch.full():
                    self._add(batch, subscription.requested.popitem(last=False)[0])
            if batch:
                return batch
        return None

    def _of_step(self) -> Batch | None:
        for type_url, names in self._step.items():
            batch = Batch(type_url)
            while names and not batch.full():
                name = names.popitem(last=False)[0]
                if self._is_due(type_url, name, self._resource(type_url, name)):
                    self.pending.add((type_url, name))
                    self._add(batch, name)
            if batch:
                return batch
        return None

    def _is_due(self, type_url: str, name: str, resource: Resource | None) -> bool:
        """Returns whether a step still has to send a resource, or its removal.

        It does not when the newest snapshot has it no longer, or again.
        """
        subscription = self._subscriptions[type_url]
        newest = self._newest.resources.get(type_url, {}) if self._newest else {}
        if resource is None:
            return name in subscription.applied and name not in newest
        return name in newest and subscription.is_stale(resource)

    def _add(self, batch: Batch, name: str) -> None:
        subscription = self._subscriptions[batch.type_url]
        if name in subscription.in_flight or not subscription.includes(name):
            return
        resource = self._resource(batch.type_url, name)
        if resource is None:
            batch.removed.append(name)
        elif subscription.rejects(resource):
            self.pending.discard((batch.type_url, name))
        else:
            batch.add(resource)

    def _expect(self, type_url: str, resource: Resource) -> None:
        """Waits for what the proxy requests next, and resends a changed cluster's endpoints.

        Envoy keeps using the old cluster until the new one has got endpoints, changed or not
        (xDS protocol document, "Resource warming").
        """
        needed = follow_up(type_url, resource, self.target) if self.target else None
        if needed is None:
            return
        subscription = self._subscriptions.get(needed[0])
        if type_url == CLUSTER and subscription and subscription.includes(resource.name):
            subscription.resend(resource.name)
        dependency = self._resource(*needed)
        if dependency and not (subscription and subscription.has_answered(dependency)):
            self.pending.add(needed)

    def _begin_step(self) -> bool:
        """Begins the next step; returns False when the proxy has been sent everything.

        A newer snapshot becomes the target when none of its steps belongs before this one;
        otherwise the steps that were begun are completed first, so that a steady flow of snapshots
        cannot keep the proxy from ever getting to the last step.
        """
        if self._newest is not None and (self._replan or self._newest is not self.target):
            fresh = plan(self._subscriptions, self._newest)
            if not self._steps or not fresh or fresh[0].rank >= self._steps[0].rank:
                self.target, self._steps, self._replan = self._newest, fresh, False
        if not self._steps:
            return False
        self._step = self._steps.pop(0).names
        return True
