"""The ConfigMap that pins the FileDescriptorSet which the gateway's routes are made of."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Literal

from grpc_operator import names
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import metadata, stamped
from grpc_operator.resources import Manifest

KEY = "descriptor.pb"

Source = Literal["Reflection", "ConfigMap", "Inline"]


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


def build(service: GrpcService, pinned: Pinned) -> Manifest:
    """Returns the ConfigMap."""
    return stamped(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(service, names.descriptor_config_map(service.metadata.name)),
            "binaryData": {KEY: base64.b64encode(pinned.data).decode()},
            "data": {"source": pinned.source, "revision": pinned.revision},
        }
    )


def read(manifest: Manifest | None) -> Pinned | None:
    """Returns what a ConfigMap pins; ``None`` when there is none or somebody has broken it."""
    data: dict[str, Any] = (manifest or {}).get("data") or {}
    binary: dict[str, Any] = (manifest or {}).get("binaryData") or {}
    try:
        content = base64.b64decode(binary[KEY], validate=True)
        return Pinned(content, data["source"], data["revision"])
    except (KeyError, binascii.Error):
        return None
