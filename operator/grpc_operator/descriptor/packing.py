"""FileDescriptorSets as they are stored: large ones compressed, so that they fit a ConfigMap."""

import gzip
import io
import zlib

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import refuse

_MAGIC = b"\x1f\x8b"
"""RFC 1952; no FileDescriptorSet begins like this."""


def packed(data: bytes) -> bytes:
    """Returns a set as it is stored; equal for equal sets.

    Raises:
        DescriptorError: It does not fit a ConfigMap even when compressed.
    """
    if len(data) <= limits.DESCRIPTOR_PLAIN_BYTES.value:
        return data
    small = gzip.compress(data, mtime=0)
    if len(small) > limits.DESCRIPTOR_STORED_BYTES.value:
        raise refuse(
            f"has {len(data)} bytes, and {len(small)} when compressed with gzip; at most"
            f" {limits.DESCRIPTOR_STORED_BYTES} fit a ConfigMap. Expose fewer services"
            " (spec.services)",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
    return small


def unpacked(data: bytes) -> bytes:
    """Returns a set that may be compressed with gzip; one byte more than is read, at most.

    Raises:
        DescriptorError: It is damaged.
    """
    if not data.startswith(_MAGIC):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read(limits.DESCRIPTOR_INPUT_BYTES.value + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise refuse(f"begins like gzip, but cannot be decompressed ({error})") from error
