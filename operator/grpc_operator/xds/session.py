"""One stream's conversation, without I/O: requests and snapshots in, responses out.

Whoever drives it calls ``receive`` and ``publish`` as things arrive, and after each of them
``next_response`` until that has nothing more to send.
"""

import logging
from dataclasses import dataclass
from typing import Any

from grpc_operator.gateway.snapshot import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPE,
    Resource,
    Snapshot,
)
from grpc_operator.resources import Key
from grpc_operator.xds import progress
from grpc_operator.xds.pending import Waiting
from grpc_operator.xds.responses import Batch, follow_up, kind
from grpc_operator.xds.state import ProxyState, Stats
from grpc_operator.xds.subscription import WILDCARD, Rejection, Subscription
from grpc_operator.xds.update_plan import Step, plan, stale_endpoints

_LOG = logging.getLogger(__name__)

MAX_NAMES = 100_000
"""Names that one stream may ask for."""

_FOLLOWED_BY = {CLUSTER: (ENDPOINTS, LISTENER), LISTENER: (SCOPE,), SCOPE: (ROUTES,)}
"""Which requests a proxy makes too when it reconnects and has some of a type.

Nothing changes before all of them are in: no cluster may go before the routes to it, and a changed
cluster needs endpoints that the proxy may have already.
"""

_MAX_WORDS = 2_000
"""Characters kept of a refusal."""


class TooManyNamesError(Exception):
    """The client asks for more than ``MAX_NAMES``."""


@dataclass(frozen=True)
class _Sent:
    """A response without an answer: versions by name, ``None`` for a removal."""

    type_url: str
    versions: dict[str, str | None]


class Session:
    """The state of one stream.

    Args:
        node: ``node.id`` of the proxy.
        stats: Counts what happens here.
    """

    def __init__(self, node: str, stats: Stats) -> None:
        self._node = node
        self._stats = stats
        self._subscriptions: dict[str, Subscription] = {}
        self._unanswered: dict[str, _Sent] = {}
        self._nonce = 0
        self._newest: Snapshot | None = None
        self._target: Snapshot | None = None
        self._replan = False
        self._steps: list[Step] = []
        self._step: dict[str, dict[str, None]] = {}
        self._waiting = Waiting()
        self._tokens: dict[Key, str] = {}
        self._rejected: dict[Key | None, str] = {}
        self._greet: set[str] = set()
        self._concerned: set[Key] = set()

    def publish(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy should hold; ``None``: it keeps what it has."""
        self._newest = snapshot
        self._refresh_endpoints()

    def receive(self, request: Any, now: float) -> None:
        """Takes a DeltaDiscoveryRequest: an answer, a subscription, or both.

        Raises:
            TooManyNamesError: The stream is to be ended.
        """
        self._waiting.now = now
        sent = self._unanswered.pop(request.response_nonce, None)
        if sent is not None:
            self._answered(sent, request)
        subscription = self._subscriptions.get(request.type_url)
        if subscription is None:
            self._first(request)
        elif request.resource_names_subscribe or request.resource_names_unsubscribe:
            subscription.subscribe(request.resource_names_subscribe)
            subscription.unsubscribe(request.resource_names_unsubscribe)
            for name in request.resource_names_unsubscribe:
                self._waiting.discard((request.type_url, name))
            self._replan = True
        if sum(1 + len(s.names) + len(s.held) for s in self._subscriptions.values()) > MAX_NAMES:
            raise TooManyNamesError

    @property
    def deadline(self) -> float | None:
        """When ``next_response`` is to be called even if nothing arrives."""
        return self._waiting.deadline if self._newest else None

    def next_response(self, now: float) -> Any | None:
        """Returns the next DeltaDiscoveryResponse to send; ``None`` when there is none now."""
        self._waiting.now = now
        while self._newest is not None:
            batch = self._urgent()
            if batch is None:
                batch = self._of_step()
            if batch is not None:
                return self._send(batch)
            if self._waiting.deadline is not None:
                if now < self._waiting.deadline:
                    return None
                missing = self._waiting.give_up()
                _LOG.warning("%r is silent about %s: going on", self._node, missing)
            if not self._begin_step():
                self._settle()
                return None
        return None

    def concerned(self) -> frozenset[Key]:
        """Returns the services whose state changed since the last call."""
        concerned, self._concerned = frozenset(self._concerned), set()
        return concerned

    def state(self) -> ProxyState:
        """Returns what the proxy has and refuses."""
        return ProxyState(self._node, dict(self._tokens), dict(self._rejected))

    # What the proxy says

    def _first(self, request: Any) -> None:
        type_url = request.type_url
        subscription = Subscription.first(
            type_url, request.resource_names_subscribe, request.initial_resource_versions
        )
        self._subscriptions[type_url] = subscription
        if subscription.wildcard:
            self._greet.add(type_url)
        self._replan = True
        self._waiting.discard((type_url, WILDCARD))
        if subscription.held:
            for other in _FOLLOWED_BY.get(type_url, ()):
                if other not in self._subscriptions:
                    self._waiting.add((other, WILDCARD))
        if type_url == ENDPOINTS:
            self._refresh_endpoints()

    def _refresh_endpoints(self) -> None:
        subscription = self._subscriptions.get(ENDPOINTS)
        if subscription is not None and self._newest is not None:
            for name in stale_endpoints(subscription, self._newest):
                if name not in subscription.flying:
                    subscription.resend(name)

    def _answered(self, sent: _Sent, request: Any) -> None:
        subscription = self._subscriptions[sent.type_url]
        landed = {
            name: version
            for name, version in sent.versions.items()
            if subscription.land(name, request.response_nonce)
        }
        if request.HasField("error_detail"):
            self._stats.nacks += 1
            self._refused(sent, landed, request.error_detail.message[:_MAX_WORDS])
            return
        self._stats.acks += 1
        for name, version in landed.items():
            subscription.take(name, version)
            if name not in subscription.urgent:
                self._waiting.discard((sent.type_url, name))
            self._catch_up(sent.type_url, name, version)

    def _catch_up(self, type_url: str, name: str, version: str | None) -> None:
        """Sees to a resource that changed while a version of it was on its way."""
        resource = self._resource(type_url, name)
        if version == (resource.version if resource else None):
            return
        if type_url == ENDPOINTS and resource is not None:
            self._subscriptions[type_url].resend(name)
        else:
            self._replan = True

    def _refused(self, sent: _Sent, landed: dict[str, str | None], words: str) -> None:
        type_url, subscription = sent.type_url, self._subscriptions[sent.type_url]
        if len(sent.versions) > 1:
            _LOG.info(
                "%r refused %d %s together, they are sent again one by one: %s",
                self._node, len(sent.versions), kind(type_url), words,
            )  # fmt: skip
            subscription.alone.update(dict.fromkeys(landed))
            return
        for name, version in landed.items():
            _LOG.warning("%r refused %s %r: %s", self._node, kind(type_url), name, words)
            self._give_up(type_url, name)
            if version is None:
                subscription.take(name, None)
            else:
                subscription.rejected[name] = Rejection(version, words)
            self._catch_up(type_url, name, version)
        self._note_rejections()

    def _give_up(self, type_url: str, name: str) -> None:
        """Ends the waiting for a resource, and for what the proxy would ask for because of it."""
        self._waiting.discard((type_url, name))
        resource = self._resource(type_url, name)
        needed = follow_up(type_url, resource, self._target) if resource and self._target else None
        if needed is not None:
            self._waiting.discard(needed)

    # What is sent

    def _resource(self, type_url: str, name: str) -> Resource | None:
        snapshot = self._newest if type_url == ENDPOINTS else self._target
        return snapshot.resources.get(type_url, {}).get(name) if snapshot else None

    def _urgent(self) -> Batch | None:
        """Returns what the proxy asked for by name and does not have, or endpoints."""
        if self._target is None:
            self._target = self._newest
        while self._greet:
            # Envoy waits for an answer to its first wildcard request, even an empty one.
            type_url = self._greet.pop()
            if self._target is not None and not self._target.resources.get(type_url):
                return Batch(type_url)
        for type_url, subscription in self._subscriptions.items():
            batch = Batch(type_url)
            if subscription.alone:
                while subscription.alone and not batch:
                    self._add(batch, _pop(subscription.alone))
            else:
                while subscription.urgent and not batch.full():
                    self._add(batch, _pop(subscription.urgent))
            if batch:
                return batch
        return None

    def _of_step(self) -> Batch | None:
        for type_url, names in self._step.items():
            batch = Batch(type_url)
            while names and not batch.full():
                name = _pop(names)
                resource = self._resource(type_url, name)
                if self._is_due(type_url, name, resource):
                    self._waiting.add((type_url, name))
                    self._add(batch, name)
            if batch:
                return batch
        return None

    def _is_due(self, type_url: str, name: str, resource: Resource | None) -> bool:
        """Returns whether a step still has to tell the proxy of a resource, or of its absence.

        It does not when the newest snapshot has it no longer, or again.
        """
        subscription = self._subscriptions[type_url]
        newest = self._newest.resources.get(type_url, {}) if self._newest else {}
        if resource is None:
            return name in subscription.held and name not in newest
        return name in newest and subscription.stale(resource)

    def _add(self, batch: Batch, name: str) -> None:
        subscription = self._subscriptions[batch.type_url]
        if name in subscription.flying or not subscription.wants(name):
            return
        resource = self._resource(batch.type_url, name)
        if resource is None:
            batch.removed.append(name)
        elif subscription.refuses(resource):
            self._waiting.discard((batch.type_url, name))
        else:
            batch.add(resource)

    def _send(self, batch: Batch) -> Any:
        self._nonce += 1
        nonce = str(self._nonce)
        versions = batch.versions()
        self._subscriptions[batch.type_url].flying.update(dict.fromkeys(versions, nonce))
        self._unanswered[nonce] = _Sent(batch.type_url, versions)
        for resource in batch.resources:
            self._expect(batch.type_url, resource)
        self._stats.pushes[kind(batch.type_url)] += 1
        return batch.response(nonce)

    def _expect(self, type_url: str, resource: Resource) -> None:
        """Waits for what the proxy asks for next, and resends a changed cluster's endpoints.

        Envoy keeps using the old cluster until the new one has got endpoints, changed or not
        (xDS protocol document, "Resource warming").
        """
        needed = follow_up(type_url, resource, self._target) if self._target else None
        if needed is None:
            return
        subscription = self._subscriptions.get(needed[0])
        if type_url == CLUSTER and subscription and subscription.wants(resource.name):
            subscription.resend(resource.name)
        wanted = self._resource(*needed)
        if wanted and not (subscription and subscription.knows(wanted)):
            self._waiting.add(needed)

    def _begin_step(self) -> bool:
        """Begins the next step; returns False when the proxy has been told everything.

        A newer snapshot takes over when it has nothing to say that belongs before this step;
        otherwise the one that was begun is completed first, so that a steady flow of snapshots
        cannot keep the proxy from ever getting to the last step.
        """
        if self._newest is not None and (self._replan or self._newest is not self._target):
            fresh = plan(self._subscriptions, self._newest)
            if not self._steps or not fresh or fresh[0].rank >= self._steps[0].rank:
                self._target, self._steps, self._replan = self._newest, fresh, False
        if not self._steps:
            return False
        self._step = self._steps.pop(0).names
        return True

    # What is known

    def _settle(self) -> None:
        if self._target is None or self._unanswered:
            return
        progress.forget_old_rejections(self._subscriptions, self._target)
        self._note_rejections()
        tokens = progress.tokens(self._subscriptions, self._target, self._tokens)
        self._concerned |= {key for key, _ in tokens.items() ^ self._tokens.items()}
        self._tokens = tokens

    def _note_rejections(self) -> None:
        if self._target is None:
            return
        rejected = progress.rejected(self._subscriptions, self._target)
        for owner, _ in rejected.items() ^ self._rejected.items():
            self._concerned |= self._target.config_hashes.keys() if owner is None else {owner}
        self._rejected = rejected


def _pop(names: dict[str, None]) -> str:
    name = next(iter(names))
    del names[name]
    return name
