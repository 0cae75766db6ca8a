"""Which services a proxy serves as requested, from what it has applied and rejected."""

from collections.abc import Mapping, Sequence

from grpc_operator.gateway.snapshot import ROUTES, Snapshot
from grpc_operator.resources import Key
from grpc_operator.xds.responses import kind
from grpc_operator.xds.subscription import Subscription

_SHARED = "the log of the operator says why, as other GrpcServices share it"

_QUOTED = 3
"""Rejected resources of a service that are quoted; the others are counted, and are in the log."""

Subscriptions = Mapping[str, Subscription]
"""By type URL."""


def behind(subscriptions: Subscriptions, target: Snapshot) -> set[Key | None]:
    """Returns the services of which the proxy has not applied everything.

    A resource that is missing or rejected concerns those whose own it is, or that share it;
    ``None`` stands for every service.

    Args:
        subscriptions: Those of the proxy.
        target: The newest snapshot.
    """
    found: set[Key | None] = set()
    for type_url, named in target.resources.items():
        subscription = subscriptions.get(type_url)
        missing = subscription.differing(named) if subscription is not None else named
        for name in missing:
            if name in named:
                found |= named[name].concerned
    for name in target.held_back:
        found |= target.resources[ROUTES][name].refused
    return found


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
    for name in sorted(target.held_back):
        for service in target.resources[ROUTES][name].refused:
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
