"""The ConfigMap that pins the FileDescriptorSet which the routes of a revision are made of."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grpc_operator import hashing, names
from grpc_operator.api import GrpcService
from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import DescriptorError, packed, unpacked
from grpc_operator.desired.common.metadata import metadata, stamped
from grpc_operator.resources import Manifest

KEY = "descriptor.pb"

Source = Literal["Reflection", "ConfigMap", "Inline"]

_PRUNING = "2"
"""Another value has all sources read again: when more of a set is kept than before."""


@dataclass(frozen=True)
class Pinned:
    """A FileDescriptorSet and where it came from.

    Attributes:
        data: The serialised set.
        revision: What it was taken from; another one means to look again.
    """

    data: bytes
    source: Source
    revision: str

    @property
    def sha256(self) -> str:
        """Hex digest of ``data``."""
        return hashlib.sha256(self.data).hexdigest()


def build(service: GrpcService, pinned: Pinned, revision: str | None = None) -> Manifest:
    """Returns the ConfigMap.

    Args:
        service: Its owner.
        pinned: What it pins.
        revision: Whose set it is; the name of the service when unset.
    """
    name = names.descriptor_config_map(revision or service.metadata.name)
    return stamped(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(service, name),
            "binaryData": {KEY: base64.b64encode(packed(pinned.data)).decode()},
            "data": {"source": pinned.source, "revision": pinned.revision},
        }
    )


def origin(
    source: str, services: Sequence[str] | None, *, rest: bool, rules: Sequence[HttpRule] = ()
) -> str:
    """Returns what a set is taken from: the source, and what of it is wanted.

    Args:
        source: Names the source and its version.
        services: ``spec.services``.
        rest: Whether the services are served by REST.
        rules: ``spec.gateway.rest.rules``.
    """
    wanted = [*(services or ()), "" if rest else "-rest", _PRUNING]
    if rules:
        wanted.append(hashing.canonical_json([each.wire() for each in rules]))
    return f"{source}#{hashing.digest(' '.join(wanted).encode())[:8]}"


def of_inline(text: str) -> str:
    """Returns the source and version of ``spec.descriptor.inline``."""
    return hashing.digest(text.encode())


def read(manifest: Manifest | None) -> Pinned | None:
    """Returns what a ConfigMap pins; ``None`` when there is none or somebody has broken it."""
    data: dict[str, Any] = (manifest or {}).get("data") or {}
    binary: dict[str, Any] = (manifest or {}).get("binaryData") or {}
    try:
        content = base64.b64decode(binary[KEY], validate=True)
        return Pinned(unpacked(content), data["source"], data["revision"])
    except (KeyError, binascii.Error, DescriptorError):
        return None
