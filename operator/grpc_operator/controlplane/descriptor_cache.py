"""What the pinned descriptor sets say: each is read once, and beside the event loop.

Reading one takes milliseconds, of a large one most of a second, and at start there is one of every
service: done in the event loop, nothing else would go on for that long.
"""

import asyncio
import logging

from grpc_operator import descriptor as descriptors
from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.resources import CONFIG_MAPS, Key, Manifest

logger = logging.getLogger(__name__)

Said = tuple[Descriptor | None, InvalidSpecError | None]
"""What a set says, or what is wrong with it; nothing while there is none."""

_Version = tuple[str, ...]


class PinnedSets:
    """The sets of all services.

    Args:
        store: Where their ConfigMaps are found.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Key, tuple[_Version, Said]] = {}

    async def read(self, key: Key, service: GrpcService | None) -> bool:
        """Reads the set of a service if it is another one than before.

        Args:
            key: The service's.
            service: ``None`` if it needs no set any more.

        Returns:
            Whether anything was read: then time has passed, and there may be more by now.
        """
        known = self._known.pop(key, None)
        manifest = self.find(service) if service is not None else None
        if service is None or manifest is None:
            return False
        version = _version(service, manifest)
        if known is not None and known[0] == version:
            self._known[key] = known
            return False
        self._known[key] = version, await asyncio.to_thread(_read, service, manifest)
        return True

    def find(self, service: GrpcService) -> Manifest | None:
        """Returns the ConfigMap that holds the set of a service."""
        name = names.descriptor_config_map(service.metadata.name)
        return self._store.owned(CONFIG_MAPS, service.metadata, name)

    def of(self, key: Key) -> Said:
        """Returns what ``read`` has found of a service."""
        known = self._known.get(key)
        return known[1] if known is not None else (None, None)


def offers_rest(service: GrpcService) -> bool:
    """Returns whether a service wants REST; only then its HTTP annotations matter."""
    gateway = service.spec.gateway
    return gateway is None or gateway.protocols is None or "REST" in gateway.protocols


def _version(service: GrpcService, manifest: Manifest) -> _Version:
    """Returns what tells whether reading it again would give something else."""
    metadata = manifest["metadata"]
    rest = "rest" if offers_rest(service) else ""
    return service.metadata.uid, metadata["resourceVersion"], rest, *(service.spec.services or ())


def _read(service: GrpcService, manifest: Manifest) -> Said:
    content = descriptor_config_map.read(manifest)
    if content is None:
        return None, None
    try:
        return descriptors.load(
            content.data, service.spec.services, rest=offers_rest(service)
        ), None
    except InvalidSpecError as error:
        return None, error
    except Exception:
        # One service must not end what all others are served by.
        logger.exception("Bug: cannot read the descriptor set of %s", service.metadata.name)
        text = "cannot be read because of a bug of the operator, whose log tells more"
        return None, InvalidSpecError([Problem("spec.descriptor", text)])
