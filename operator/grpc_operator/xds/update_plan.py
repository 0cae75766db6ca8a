"""In which order a running proxy gets a new snapshot: make before break.

Clusters (with their endpoints) come before the routes that use them and go after these; routes
of stage 0 come before those of stage 1, which send requests to them. Envoy's xDS protocol
document calls this "eventual consistency considerations". Endpoints are not in here: theirs are
sent as soon as they change, and a new cluster's when the proxy requests them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grpc_operator.gateway.snapshot import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPE,
    Resource,
    Snapshot,
)
from grpc_operator.xds.subscription import Names, Subscription

Rank = tuple[int, int]
"""Position and stage: steps are done in ascending order."""

_ADD = {CLUSTER: 0, LISTENER: 1, SCOPE: 2, ROUTES: 2}
_REMOVE = {LISTENER: 3, SCOPE: 3, ROUTES: 4, CLUSTER: 5, ENDPOINTS: 6}
_LAST = 7
_STAGED = (SCOPE, ROUTES)


@dataclass
class Step:
    """What is sent together; the next step waits until the proxy has acknowledged it.

    Attributes:
        names: By type URL; a name that the snapshot lacks is a removal.
    """

    rank: Rank
    names: dict[str, Names] = field(default_factory=dict)


def plan(subscriptions: Mapping[str, Subscription], snapshot: Snapshot) -> list[Step]:
    """Returns the steps from what the proxy has to the snapshot; what it rejects is left out."""
    steps: dict[Rank, Step] = {}

    def add(rank: Rank, type_url: str, name: str) -> None:
        step = steps.setdefault(rank, Step(rank))
        step.names.setdefault(type_url, Names())[name] = None

    for type_url, subscription in subscriptions.items():
        named: Mapping[str, Resource] = snapshot.resources.get(type_url, {})
        position = _ADD.get(type_url)
        for name in subscription.differing(named):
            resource = named.get(name)
            if resource is None:
                add((_REMOVE.get(type_url, _LAST), 0), type_url, name)
            elif position is not None and subscription.is_stale(resource):
                stage = resource.stage if type_url in _STAGED else 0
                add((position, stage), type_url, name)
    return [steps[rank] for rank in sorted(steps)]


def stale_endpoints(subscription: Subscription, snapshot: Snapshot) -> list[str]:
    """Returns the clusters whose endpoints differ from what the proxy has."""
    named = snapshot.resources.get(ENDPOINTS, {})
    return [
        name
        for name in subscription.differing(named)
        if name in named and subscription.is_stale(named[name])
    ]
