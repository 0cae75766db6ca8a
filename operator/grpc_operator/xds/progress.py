"""Which services a proxy serves as asked, from what it holds and refuses."""

from collections.abc import Mapping

from grpc_operator.gateway.snapshot import Resource, Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds.responses import kind
from grpc_operator.xds.subscription import Subscription

Subscriptions = Mapping[str, Subscription]
"""By type URL."""


def tokens(
    subscriptions: Subscriptions, target: Snapshot, old: Mapping[Key, str]
) -> dict[Key, str]:
    """Returns the token of each service of which the proxy has everything.

    A service keeps its old token while a resource is missing or refused that is its own, or that
    it shares. While it is one that concerns every service, none of them gets a new one.
    """
    behind = {
        concerned
        for type_url, wanted in target.resources.items()
        for resource in wanted.values()
        if not _holds(subscriptions.get(type_url), resource)
        for concerned in resource.concerned
    }
    current = target.config_hashes.items()
    kept = {key: old[key] for key in target.config_hashes if key in old}
    if None in behind:
        return kept
    return {key: kept[key] for key in behind & kept.keys() if key is not None} | {
        key: token for key, token in current if key not in behind
    }


def _holds(subscription: Subscription | None, resource: Resource) -> bool:
    return subscription is not None and subscription.held.get(resource.name) == resource.version


def rejected(subscriptions: Subscriptions, target: Snapshot) -> dict[Key | None, str]:
    """Returns what the proxy refuses of this snapshot, in its words, by who is concerned."""
    words: dict[Key | None, list[str]] = {}
    for type_url, subscription in subscriptions.items():
        wanted = target.resources.get(type_url, {})
        for name, rejection in sorted(subscription.rejected.items()):
            resource = wanted.get(name)
            if resource is not None and subscription.refuses(resource):
                text = f"{kind(type_url)} {name}: {rejection.message}"
                for concerned in resource.concerned:
                    words.setdefault(concerned, []).append(text)
    return {concerned: "; ".join(texts) for concerned, texts in words.items()}


def forget_old_rejections(subscriptions: Subscriptions, target: Snapshot) -> None:
    """Drops refusals of versions that are no longer asked for."""
    for type_url, subscription in subscriptions.items():
        wanted = target.resources.get(type_url, {})
        for name in [*subscription.rejected]:
            resource = wanted.get(name)
            if resource is None or not subscription.refuses(resource):
                del subscription.rejected[name]
