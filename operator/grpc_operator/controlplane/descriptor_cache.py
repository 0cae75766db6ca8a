"""The descriptors of services, each loaded once, and beside the event loop.

Loading one takes milliseconds, a large one most of a second, and at start there is one of every
service: done in the event loop, nothing else would run for that long.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grpc_operator import descriptor as descriptors
from grpc_operator import labels, limits, names
from grpc_operator.api import GrpcService
from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.store import Store
from grpc_operator.engine.turns import Turns
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import rest
from grpc_operator.resources import CONFIG_MAPS, Key, Manifest, service_key

logger = logging.getLogger(__name__)

Loaded = tuple[Descriptor | None, InvalidSpecError | None]
"""The descriptor of a revision, or what is wrong with it; neither while there is none."""

_Kept = TypeVar("_Kept")

Version = tuple[str, ...]
"""Changes with what a descriptor is loaded from."""

_SHED: Loaded = (None, None)
"""In the place of a descriptor that is not needed as long as nothing changes."""

_RECENT = 512 * 1024
"""Bytes of descriptors that are kept from when their source was read until their ConfigMap comes
back; parsed, they need ten times as much."""


@dataclass(frozen=True)
class Needed:
    """The revisions of a service whose descriptors matter.

    Attributes:
        loaded: Those that calls go to: their descriptors are loaded.
        kept: Others that may get calls later: only their ConfigMaps are remembered.
        are_frozen: Whether ``spec.services`` may be that of a newer revision: what a ConfigMap
            holds is then what its revision was to serve.
    """

    loaded: tuple[str, ...]
    kept: frozenset[str] = frozenset()
    are_frozen: bool = False


class DescriptorCache:
    """The descriptors in the ConfigMaps ``REVISION-grpc-descriptor`` of all services.

    A ConfigMap that is deleted or emptied counts as it was last read, until its service is deleted
    or no longer has the revision: nothing but the service itself ends what it is served by.

    Args:
        store: Where the ConfigMaps are found.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Key, dict[str, tuple[Version, Loaded]]] = {}
        self._config_maps: dict[Key, dict[str, Manifest]] = {}
        self._recent: OrderedDict[Version, Descriptor] = OrderedDict()
        self._turns = Turns(limits.DESCRIPTOR_LOADS.value, 1)

    def refresh(
        self, key: Key, service: GrpcService | None, needed: Needed | None = None
    ) -> Callable[[], Awaitable[None]] | None:
        """Returns what loads the descriptors of a service, as far as ConfigMaps have changed.

        Args:
            key: The service's.
            service: ``None`` if it needs no descriptor any more.
            needed: The revisions; only that of the service's own name when unset.
        """
        if service is None:
            self._known.pop(key, None)
            self._config_maps.pop(key, None)
            return None
        needed = needed or Needed((key.name,))
        _retain(self._config_maps, key, {*needed.loaded, *needed.kept})
        _retain(self._known, key, needed.loaded)
        for revision in needed.kept.difference(needed.loaded):
            self._remember(key, service, revision)
        wanted = descriptors.EVERY if needed.are_frozen else service.spec.services
        loads = self._loads(key, service, needed.loaded, wanted)
        if not loads:
            return None
        if len(loads) < len(needed.loaded):
            self.unshed(key)  # what is loaded is combined with them
            loads = self._loads(key, service, needed.loaded, wanted)

        async def load() -> None:
            for each in loads:
                await each()

        return load

    def _loads(
        self,
        key: Key,
        service: GrpcService,
        revisions: Sequence[str],
        wanted: Sequence[str] | None,
    ) -> list[Callable[[], Awaitable[None]]]:
        found = (self._changed(key, service, revision, wanted) for revision in revisions)
        return [each for each in found if each is not None]

    def _changed(
        self, key: Key, service: GrpcService, revision: str, wanted: Sequence[str] | None
    ) -> Callable[[], Awaitable[None]] | None:
        """Returns what loads the descriptor of a revision, if its ConfigMap has changed."""
        manifest = self._remember(key, service, revision)
        loaded = self._known.setdefault(key, {})
        if manifest is None:
            loaded.pop(revision, None)
            return None
        version, known = _version(service, manifest, wanted), loaded.get(revision)
        if known is not None and known[0] == version:
            return None

        async def load() -> None:
            read = await self._read(service, manifest, wanted)
            if self._known.get(key) is loaded:
                loaded[revision] = version, read

        return load

    def _remember(self, key: Key, service: GrpcService, revision: str) -> Manifest | None:
        manifest = self.config_map(service, revision)
        known = self._config_maps.setdefault(key, {})
        if manifest is None:
            known.pop(revision, None)
        else:
            known[revision] = manifest
        return manifest

    def config_map(self, service: GrpcService, revision: str | None = None) -> Manifest | None:
        """Returns the ConfigMap with the descriptor of a revision, or the last one that had it.

        Args:
            service: The service.
            revision: That of the service's own name when unset.
        """
        meta = service.metadata
        revision = revision or meta.name
        live = self._store.owned(CONFIG_MAPS, meta, names.descriptor_config_map(revision))
        if live is not None and descriptor_config_map.read(live) is not None:
            return live
        last = self._config_maps.get(service_key(meta.namespace, meta.name), {}).get(revision)
        return last if last is not None and labels.controller_uid(last) == meta.uid else None

    def of(self, key: Key, revision: str) -> Loaded:
        """Returns the descriptor of a revision as it was last loaded."""
        known = self._known.get(key, {}).get(revision)
        return known[1] if known is not None else (None, None)

    def versions(self, key: Key) -> Mapping[str, Version]:
        """Returns values that change with the descriptors that were last loaded, by revision."""
        return {revision: version for revision, (version, _) in self._known.get(key, {}).items()}

    def has(self, key: Key) -> bool:
        """Returns whether descriptors were loaded, or could not be, since the last were shed."""
        known = self._known.get(key, {}).values()
        return bool(known) and all(loaded is not _SHED for _, loaded in known)

    def shed(self, key: Key, versions: Mapping[str, Version]) -> None:
        """Drops descriptors of some versions; not loaded again as long as nothing changes."""
        loaded = self._known.get(key, {})
        for revision, version in versions.items():
            known = loaded.get(revision)
            if known is not None and known[0] == version:
                loaded[revision] = version, _SHED
                self._forget_recent(known[1][0])

    def _forget_recent(self, descriptor: Descriptor | None) -> None:
        recent = self._recent.items()
        self._recent = OrderedDict((k, each) for k, each in recent if each is not descriptor)

    def unshed(self, key: Key) -> None:
        """Has the descriptors of a service that were shed loaded again at the next refresh."""
        loaded = self._known.get(key, {})
        for revision in [each for each, (_, known) in loaded.items() if known is _SHED]:
            del loaded[revision]

    async def load(
        self,
        service: GrpcService,
        data: bytes,
        wanted: Sequence[str] | None = None,
        rules: Sequence[HttpRule] = (),
    ) -> Descriptor:
        """Returns what a serialised FileDescriptorSet says about a service.

        Args:
            service: The service.
            data: The set.
            wanted: Full names of its gRPC services; those of ``spec.services`` when unset.
            rules: ``spec.gateway.rest.rules``; a set that is pinned has them already.

        Raises:
            DescriptorError: See ``descriptor.load``.
        """
        wanted, with_rest = wanted or service.spec.services, offers_rest(service)
        recent = self._recent.get(_content(data, wanted, rest=with_rest))
        if recent is not None and not rules:
            return recent
        async with self._turns.of(service.metadata.namespace):
            loaded = await asyncio.to_thread(
                descriptors.load, data, wanted, rest=with_rest, rules=rules
            )
        # What is pinned is loaded.data, of which load makes the same descriptor.
        self._recent[_content(loaded.data, wanted, rest=with_rest)] = loaded
        while len(self._recent) > 1 and _bytes(self._recent.values()) > _RECENT:
            self._recent.popitem(last=False)
        return loaded

    async def _read(
        self, service: GrpcService, manifest: Manifest, wanted: Sequence[str] | None
    ) -> Loaded:
        content = descriptor_config_map.read(manifest)
        assert content is not None  # noqa: S101 - config_map checks it
        try:
            return await self.load(service, content.data, wanted), None
        except InvalidSpecError as error:
            return None, error
        except Exception:
            # One service must not end what all others are served by.
            logger.exception("Bug: cannot load the descriptor of %s", service.metadata.name)
            text = "cannot be read because of a bug of the operator; see its log"
            return None, InvalidSpecError([Problem("spec.descriptor", text)])


def offers_rest(service: GrpcService) -> bool:
    """Returns whether a service wants REST; only then its HTTP annotations matter."""
    gateway = service.spec.gateway
    return gateway is None or rest.is_offered(gateway)


def _version(service: GrpcService, manifest: Manifest, wanted: Sequence[str] | None) -> Version:
    """Returns a value that changes when loading it would give something else."""
    metadata = manifest["metadata"]
    with_rest = "rest" if offers_rest(service) else ""
    return service.metadata.uid, metadata["resourceVersion"], with_rest, *(wanted or ())


def _retain(known: dict[Key, dict[str, _Kept]], key: Key, revisions: Collection[str]) -> None:
    """Forgets the revisions of a service that are gone."""
    of = known.get(key, {})
    for revision in of.keys() - set(revisions):
        del of[revision]


def _bytes(of: Iterable[Descriptor]) -> int:
    return sum(len(each.data) for each in of)


def _content(data: bytes, services: Sequence[str] | None, *, rest: bool) -> Version:
    return hashlib.sha256(data).hexdigest(), "rest" if rest else "", *(services or ())
