"""The descriptors of services, each loaded once, and beside the event loop.

Loading one takes milliseconds, a large one most of a second, and at start there is one of every
service: done in the event loop, nothing else would run for that long.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Sequence

from grpc_operator import descriptor as descriptors
from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import rest
from grpc_operator.resources import CONFIG_MAPS, Key, Manifest

logger = logging.getLogger(__name__)

Loaded = tuple[Descriptor | None, InvalidSpecError | None]
"""The descriptor of a service, or what is wrong with it; neither while there is none."""

_Version = tuple[str, ...]

_RECENT = 16
"""Descriptors that are kept from when their source was read until their ConfigMap comes back."""


class DescriptorCache:
    """The descriptors in the ConfigMaps ``NAME-grpc-descriptor`` of all services.

    Args:
        store: Where the ConfigMaps are found.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Key, tuple[_Version, Loaded]] = {}
        self._recent: OrderedDict[_Version, Descriptor] = OrderedDict()

    async def refresh(self, key: Key, service: GrpcService | None) -> bool:
        """Loads the descriptor of a service if its ConfigMap has changed.

        Args:
            key: The service's.
            service: ``None`` if it needs no descriptor any more.

        Returns:
            Whether anything was loaded: then time has passed, and more may have changed.
        """
        known = self._known.pop(key, None)
        manifest = self.config_map(service) if service is not None else None
        if service is None or manifest is None:
            return False
        version = _version(service, manifest)
        if known is not None and known[0] == version:
            self._known[key] = known
            return False
        self._known[key] = version, await self._read(service, manifest)
        return True

    def config_map(self, service: GrpcService) -> Manifest | None:
        """Returns the ConfigMap that holds the descriptor of a service."""
        name = names.descriptor_config_map(service.metadata.name)
        return self._store.owned(CONFIG_MAPS, service.metadata, name)

    def of(self, key: Key) -> Loaded:
        """Returns the descriptor of a service as it was last loaded."""
        known = self._known.get(key)
        return known[1] if known is not None else (None, None)

    async def load(self, service: GrpcService, data: bytes) -> Descriptor:
        """Returns what a serialised FileDescriptorSet says about a service.

        Raises:
            DescriptorError: See ``descriptor.load``.
        """
        wanted, with_rest = service.spec.services, offers_rest(service)
        recent = self._recent.get(_content(data, wanted, rest=with_rest))
        if recent is not None:
            return recent
        loaded = await asyncio.to_thread(descriptors.load, data, wanted, rest=with_rest)
        # What is pinned is loaded.data, of which load makes the same descriptor.
        self._recent[_content(loaded.data, wanted, rest=with_rest)] = loaded
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return loaded

    async def _read(self, service: GrpcService, manifest: Manifest) -> Loaded:
        content = descriptor_config_map.read(manifest)
        if content is None:
            return None, None
        try:
            return await self.load(service, content.data), None
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


def _version(service: GrpcService, manifest: Manifest) -> _Version:
    """Returns a value that changes when loading it would give something else."""
    metadata = manifest["metadata"]
    with_rest = "rest" if offers_rest(service) else ""
    services = service.spec.services or ()
    return service.metadata.uid, metadata["resourceVersion"], with_rest, *services


def _content(data: bytes, services: Sequence[str] | None, *, rest: bool) -> _Version:
    return hashlib.sha256(data).hexdigest(), "rest" if rest else "", *(services or ())
