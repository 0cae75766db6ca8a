"""The revisions of a GrpcService that calls go to: those of its status, on every replica the same.

The leader writes them; here they are only read, with the addresses of their pods.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from grpc_operator import names
from grpc_operator.api.metadata import ObjectMeta
from grpc_operator.api.status import RevisionStatus
from grpc_operator.controlplane import known_endpoints
from grpc_operator.controlplane.descriptor_cache import Needed
from grpc_operator.controlplane.revision_pods import selected_by
from grpc_operator.engine.store import Store
from grpc_operator.gateway.ir import Endpoint
from grpc_operator.resources import GRPC_SERVICES, SERVICES, Key, Manifest
from grpc_operator.rollout.state import State

_FIELDS = ("name", "role", "percent", "mirrorPercent", "tag")

_WITH_PODS = ("Stable", "Candidate", "Draining")
"""Roles of revisions that have pods, or are about to."""


@dataclass(frozen=True)
class Weight:
    """A revision and its share of the calls.

    Attributes:
        revision: Its name.
        percent: Percentage of the calls.
        tag: By which calls choose it; empty for none.
        mirror_percent: Percentage of the calls that are also sent to it.
    """

    revision: str
    percent: int
    tag: str = ""
    mirror_percent: int = 0

    @property
    def unused(self) -> "Weight":
        """The same revision with its tag alone: it gets calls of nobody who does not ask for it."""
        return replace(self, percent=0, mirror_percent=0)


@dataclass(frozen=True)
class Revisions:
    """The revisions of a service that have pods.

    Attributes:
        weights: The stable revision first; the percentages add up to 100.
        needed: Their descriptors, and those of revisions that one can go back to.
        endpoints: The addresses of their pods.
    """

    weights: tuple[Weight, ...]
    needed: Needed
    endpoints: Mapping[str, tuple[Endpoint, ...]]

    @property
    def stable(self) -> str:
        """Name of the revision that gets the calls that no other one can take."""
        return self.weights[0].revision

    @cached_property
    def answering(self) -> frozenset[str]:
        """Names of the revisions with a pod that takes new calls."""
        return frozenset(
            revision
            for revision, found in self.endpoints.items()
            if any(not each.draining for each in found)
        )

    @property
    def version(self) -> tuple[object, ...]:
        """Changes with what is made of them, but not with their descriptors."""
        return self.weights, self.answering if len(self.weights) > 1 else ()


def read(store: Store, key: Key) -> Revisions:
    """Returns the revisions of a service; without any in its status, the one that is stable."""
    manifest = store.get(GRPC_SERVICES, key.namespace, key.name) or {}
    state = State.read(manifest.get("status") or {})
    known = [each for each in state.revisions if _is_of(key, each.name)]
    if not known:
        return _alone(store, key, manifest)
    stable = state.stable if state.stable in known else max(known, key=lambda it: it.percent or 0)
    others = [each for each in known if each is not stable and _has_pods(each)]
    weights = _weights([stable, *others])
    loaded = tuple(each.revision for each in weights)
    needed = Needed(loaded, frozenset(each.name for each in known), are_frozen=True)
    return Revisions(weights, needed, known_endpoints.of_revisions(store, key, loaded))


def version_of(manifest: Manifest) -> tuple[object, ...]:
    """Returns what of a GrpcService's status has its revisions read again."""
    known = (manifest.get("status") or {}).get("revisions") or ()
    return tuple((*map(each.get, _FIELDS), bool(each.get("replicas"))) for each in known)


def _alone(store: Store, key: Key, manifest: Manifest) -> Revisions:
    """Returns the only revision: the one that the headless Service selects."""
    headless = None
    if manifest:
        owner = ObjectMeta.model_validate(manifest["metadata"])
        headless = store.owned(SERVICES, owner, names.headless_service(key.name))
    selected = selected_by(headless, key.name) if headless is not None else key.name
    name = selected if _is_of(key, selected) else key.name
    needed = Needed((name,), are_frozen=name != key.name)
    return Revisions((Weight(name, 100),), needed, {name: known_endpoints.of_service(store, key)})


def _is_of(key: Key, revision: str) -> bool:
    return revision == key.name or revision.startswith(f"{key.name}-")


def _has_pods(revision: RevisionStatus) -> bool:
    counts = revision.percent or revision.mirror_percent or revision.tag or revision.replicas
    return bool(counts) or revision.role in _WITH_PODS


def _weights(revisions: list[RevisionStatus]) -> tuple[Weight, ...]:
    """Returns their weights; the first gets what the others leave of 100%."""
    left, tags, found = 100, set[str](), list[Weight]()
    for each in revisions[1:]:
        percent = min(max(each.percent or 0, 0), left)
        left -= percent
        found.append(Weight(each.name, percent, each.tag or "", each.mirror_percent or 0))
    found.insert(0, Weight(revisions[0].name, left, revisions[0].tag or ""))
    for index, one in enumerate(found):
        if one.tag in tags:
            found[index] = replace(one, tag="")
        tags.add(one.tag)
    return tuple(found)
