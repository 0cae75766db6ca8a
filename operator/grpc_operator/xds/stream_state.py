"""The state of one stream, without I/O: requests and snapshots in, responses out.

Whoever drives it calls ``receive`` and ``publish`` as things arrive, and after each of them
``next_response`` until that has nothing more to send.
"""

import logging
from dataclasses import dataclass
from typing import Any

from grpc_operator import limits, quotes
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds import progress
from grpc_operator.xds.responses import Batch, kind
from grpc_operator.xds.shared_tables import Tables
from grpc_operator.xds.state import ProxyState, Stats
from grpc_operator.xds.subscription import Rejection, Subscription
from grpc_operator.xds.updates import Updates

logger = logging.getLogger(__name__)


class TooMuchError(Exception):
    """The client goes beyond a limit; the text says which."""


@dataclass(frozen=True)
class _Sent:
    """A response without an answer: versions by name, ``None`` for a removal."""

    type_url: str
    versions: dict[str, str | None]


class StreamState:
    """Subscriptions, nonces and what the proxy has applied.

    Args:
        node: ``node.id`` of the proxy.
        stats: Counts what happens here.
        accepted: Route tables that any proxy of the gateway accepted last; shared by all of them.
    """

    def __init__(self, node: str, stats: Stats, accepted: Tables) -> None:
        self._node = node
        self._stats = stats
        self._subscriptions: dict[str, Subscription] = {}
        self._updates = Updates(node, self._subscriptions, accepted)
        self._unanswered: dict[str, _Sent] = {}
        self._nonce = 0
        self._published: Snapshot | None = None
        self._config_hashes: dict[Key, str] = {}
        self._lagging: set[Key] = set()
        self._rejected: dict[Key | None, str] = {}
        self._concerned: set[Key] = set()

    def publish(self, snapshot: Snapshot | None) -> None:
        """Sets what the proxy should have; ``None``: it keeps what it has."""
        known = self._published
        if snapshot is not None and snapshot is not known:
            self._lagging |= snapshot.since(known).services
            self._published = snapshot
        self._updates.publish(snapshot)

    def receive(self, request: Any, now: float) -> bool:
        """Handles a DeltaDiscoveryRequest: an answer, a subscription, or both.

        Returns:
            Whether it answers a response.

        Raises:
            TooMuchError: The stream is to be ended.
        """
        _check_names(request)
        self._updates.pending.now = now
        sent = self._unanswered.pop(request.response_nonce, None)
        if sent is not None:
            self._answered(sent, request)
        type_url = request.type_url
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            self._subscriptions[type_url] = Subscription.first(
                type_url, request.resource_names_subscribe, request.initial_resource_versions
            )
            self._updates.subscribed(type_url)
        elif request.resource_names_subscribe or request.resource_names_unsubscribe:
            subscription.subscribe(request.resource_names_subscribe)
            subscription.unsubscribe(request.resource_names_unsubscribe)
            self._updates.resubscribed(type_url, request.resource_names_unsubscribe)
        self._check()
        return sent is not None

    def _check(self) -> None:
        names = (1 + len(each.names) + len(each.applied) for each in self._subscriptions.values())
        if len(self._subscriptions) > limits.XDS_TYPES.value:
            raise TooMuchError(f"at most {limits.XDS_TYPES} types of resources on one stream")
        if sum(names) > limits.XDS_NAMES.value:
            raise TooMuchError(f"at most {limits.XDS_NAMES} resource names on one stream")

    @property
    def deadline(self) -> float | None:
        """When ``next_response`` is to be called even if nothing arrives."""
        return self._updates.deadline

    def next_response(self, now: float) -> Any | None:
        """Returns the next DeltaDiscoveryResponse to send; ``None`` when there is none now."""
        self._updates.pending.now = now
        batch = self._updates.next_batch(now)
        if batch is not None:
            return self._send(batch)
        if self._updates.complete and not self._unanswered:
            self._update_config_hashes()
        return None

    def concerned(self) -> frozenset[Key]:
        """Returns the services whose state changed since the last call."""
        concerned, self._concerned = frozenset(self._concerned), set()
        return concerned

    def state(self) -> ProxyState:
        """Returns what the proxy has applied and rejected."""
        return ProxyState(self._node, dict(self._config_hashes), dict(self._rejected))

    def _send(self, batch: Batch) -> Any:
        self._nonce += 1
        nonce = str(self._nonce)
        versions = batch.versions()
        self._subscriptions[batch.type_url].in_flight.update(dict.fromkeys(versions, nonce))
        self._unanswered[nonce] = _Sent(batch.type_url, versions)
        self._updates.sent(batch)
        self._stats.pushes[kind(batch.type_url)] += 1
        return batch.response(nonce)

    def _answered(self, sent: _Sent, request: Any) -> None:
        subscription = self._subscriptions[sent.type_url]
        versions = {
            name: version
            for name, version in sent.versions.items()
            if subscription.acknowledge(name, request.response_nonce)
        }
        if request.HasField("error_detail"):
            self._stats.nacks += 1
            message = quotes.one_line(request.error_detail.message, limits.XDS_ERROR.value)
            self._nacked(sent, versions, message)
            return
        self._stats.acks += 1
        for name, version in versions.items():
            subscription.apply(name, version)
            self._updates.acknowledged(sent.type_url, name, version)

    def _nacked(self, sent: _Sent, versions: dict[str, str | None], message: str) -> None:
        type_url, subscription = sent.type_url, self._subscriptions[sent.type_url]
        if len(sent.versions) > 1:
            logger.info(
                "Proxy %r rejected %d %s resources together, they are retried one by one: %s",
                self._node, len(sent.versions), kind(type_url), message,
            )  # fmt: skip
            subscription.retry_singly.update(dict.fromkeys(versions))
            return
        for name, version in versions.items():
            logger.warning("Proxy %r rejected %s %r: %s", self._node, kind(type_url), name, message)
            is_final = self._updates.rejected(type_url, name, version)
            if version is None:
                subscription.apply(name, None)
            elif is_final:
                subscription.rejected[name] = Rejection(version, message)
            else:
                subscription.rejected.pop(name, None)
        self._update_rejected()

    def _update_config_hashes(self) -> None:
        target = self._updates.target
        if target is None:
            return
        progress.forget_old_rejections(self._subscriptions, target)
        self._update_rejected()
        behind = progress.behind(self._subscriptions, target)
        for key in [*self._lagging]:
            now = target.config_hashes.get(key)
            if now is not None and (key in behind or None in behind):
                continue  # it keeps the hash of what was applied completely
            self._lagging.remove(key)
            if self._config_hashes.get(key) != now:
                self._concerned.add(key)
            if now is None:
                self._config_hashes.pop(key, None)
            else:
                self._config_hashes[key] = now

    def _update_rejected(self) -> None:
        target = self._updates.target
        if target is None:
            return
        rejected = progress.rejected(self._subscriptions, target)
        for owner, _ in rejected.items() ^ self._rejected.items():
            self._concerned |= target.config_hashes.keys() if owner is None else {owner}
        self._rejected = rejected


def _check_names(request: Any) -> None:
    versions = request.initial_resource_versions
    texts = (request.resource_names_subscribe, versions.keys(), versions.values())
    if any(len(text) > limits.XDS_NAME.value for each in texts for text in each):
        raise TooMuchError(
            f"at most {limits.XDS_NAME} characters in the name or version of a resource"
        )
