"""The resources of a gateway, from which each snapshot is made of the one before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from grpc_operator.gateway.snapshot import TYPES, Change, Resource, Snapshot
from grpc_operator.resources import Key


class Resources:
    """What the next snapshot has; maps of the last one that do not differ are shared with it."""

    def __init__(self) -> None:
        """Begins empty."""
        self._last = Snapshot({type_url: {} for type_url in TYPES}, {})
        self._is_first = True
        self._named: dict[str, dict[str, Resource]] = {type_url: {} for type_url in TYPES}
        self._config_hashes: dict[Key, str] = {}
        self._reported: dict[Key, tuple[str, ...]] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self._services: set[Key] = set()

    def get(self, type_url: str, name: str) -> Resource | None:
        """Returns a resource as it is now."""
        return self._named[type_url].get(name)

    def put(self, type_url: str, name: str, resource: Resource | None) -> None:
        """Sets a resource; ``None`` removes it. An equal one stays the same object."""
        known = self._named[type_url].get(name)
        if known == resource:
            return
        self._names[type_url].add(name)
        if resource is None:
            del self._named[type_url][name]
        else:
            self._named[type_url][name] = resource

    def set_service(self, key: Key, config_hash: str | None, reported: Iterable[str] = ()) -> None:
        """Sets the config hash of a service, and its clusters whose calls are to be reported.

        Args:
            key: The service.
            config_hash: ``None`` if it is not served.
            reported: Names of clusters.
        """
        self._reported.pop(key, None)
        clusters = tuple(reported)
        if clusters:
            self._reported[key] = clusters
        if self._config_hashes.get(key) == config_hash:
            return
        self._services.add(key)
        if config_hash is None:
            del self._config_hashes[key]
        else:
            self._config_hashes[key] = config_hash

    def snapshot(self) -> Snapshot:
        """Returns what was set, and how it differs from the last snapshot."""
        last = self._last
        change = Change(last.version, dict(self._names), frozenset(self._services))
        resources: Mapping[str, Mapping[str, Resource]] = {
            type_url: dict(named) if type_url in self._names else last.resources[type_url]
            for type_url, named in self._named.items()
        }
        self._last = Snapshot(
            resources,
            dict(self._config_hashes) if self._services else last.config_hashes,
            frozenset(name for names in self._reported.values() for name in names),
            change=None if self._is_first else change,
        )
        self._names, self._services, self._is_first = defaultdict(set), set(), False
        return self._last
