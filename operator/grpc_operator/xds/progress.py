"""Which services a proxy serves as requested, from what it has applied and rejected."""

from collections.abc import Mapping, Sequence

from grpc_operator.gateway.snapshot import ROUTES, Resource, Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds.responses import kind
from grpc_operator.xds.subscription import Subscription

_SHARED = "the log of the operator says why, as other GrpcServices share it"

_QUOTED = 3
"""Rejected resources of a service that are quoted; the others are counted, and are in the log."""

Subscriptions = Mapping[str, Subscription]
"""By type URL."""


def config_hashes(
    subscriptions: Subscriptions, target: Snapshot, old: Mapping[Key, str]
) -> dict[Key, str]:
    """Returns the config hash of each service of which the proxy has applied everything.

    A service keeps its old hash while a resource is missing or rejected that is its own, or that
    it shares. While it is one that concerns every service, none of them gets a new one.
    """
    behind = {
        concerned
        for type_url, named in target.resources.items()
        for resource in named.values()
        if not _has_applied(subscriptions.get(type_url), resource)
        for concerned in resource.concerned
    }
    for table in target.resources.get(ROUTES, {}).values():
        behind |= table.refused
    current = target.config_hashes.items()
    kept = {key: old[key] for key in target.config_hashes if key in old}
    if None in behind:
        return kept
    return {key: kept[key] for key in behind & kept.keys() if key is not None} | {
        key: config_hash for key, config_hash in current if key not in behind
    }


def _has_applied(subscription: Subscription | None, resource: Resource) -> bool:
    return subscription is not None and subscription.applied.get(resource.name) == resource.version


def rejected(subscriptions: Subscriptions, target: Snapshot) -> dict[Key | None, str]:
    """Returns what the proxy rejects of this snapshot, by the service concerned.

    Its words are quoted to a service only if they are about this service alone: those about a
    shared resource may have names of others, and are in the log.
    """
    messages: dict[Key | None, list[str]] = {}
    for type_url, subscription in subscriptions.items():
        named = target.resources.get(type_url, {})
        for name, rejection in sorted(subscription.rejected.items()):
            resource = named.get(name)
            if resource is not None and subscription.rejects(resource):
                alone = resource.owner is not None
                words = f'"{rejection.message}"' if alone else _SHARED
                for concerned in resource.concerned:
                    messages.setdefault(concerned, []).append(f"{kind(type_url)} {name}: {words}")
    for name, table in target.resources.get(ROUTES, {}).items():
        for service in table.refused:
            messages.setdefault(service, []).append(f"{kind(ROUTES)} {name}: {_SHARED}")
    return {concerned: _first(texts) for concerned, texts in messages.items()}


def _first(texts: Sequence[str]) -> str:
    more = len(texts) - _QUOTED
    return "; ".join(texts[:_QUOTED]) + (f"; and {more} more" if more > 0 else "")


def forget_old_rejections(subscriptions: Subscriptions, target: Snapshot) -> None:
    """Drops rejections of versions that are no longer in the snapshot."""
    for type_url, subscription in subscriptions.items():
        named = target.resources.get(type_url, {})
        for name in [*subscription.rejected]:
            resource = named.get(name)
            if resource is None or not subscription.rejects(resource):
                del subscription.rejected[name]
