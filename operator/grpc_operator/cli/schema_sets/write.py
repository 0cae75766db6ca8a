"""Writes sets."""

import base64
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.json_format import MessageToJson

from grpc_operator.cli import output
from grpc_operator.cli.errors import CliError
from grpc_operator.descriptor import packed
from grpc_operator.desired.service.descriptor_config_map import KEY


def write(data: bytes, form: str, to: Path | None, name: str) -> None:
    """Writes a set.

    Args:
        data: The serialised set.
        form: ``binary``, ``base64``, ``configmap`` or ``json``.
        to: The file; standard output when ``None``.
        name: Name of the ConfigMap.

    Raises:
        CliError: The file cannot be written, the set does not fit the form, or bytes would go to a
            terminal.
    """
    content = _formed(data, form, name)
    if to is not None:
        try:
            to.write_bytes(content)
        except OSError as error:
            raise CliError(f"{to}: cannot be written: {error.strerror}") from error
        return
    if form == "binary" and sys.stdout.isatty():
        raise CliError(
            "a set is not text", fix="Write it to a file with --to FILE, or choose --as json."
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def _formed(data: bytes, form: str, name: str) -> bytes:
    if form == "base64":
        return base64.b64encode(data) + b"\n"
    if form == "configmap":
        content = base64.b64encode(packed(data)).decode()
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name},
            "binaryData": {KEY: content},
        }
        return output.yaml_text([manifest]).encode()
    if form == "json":
        return (MessageToJson(FileDescriptorSet.FromString(data)) + "\n").encode()
    return data
