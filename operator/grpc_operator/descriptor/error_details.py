"""What Envoy needs besides the services to write errors as ``google.rpc.Status`` JSON.

The details of a gRPC status are packed messages that no method mentions, and Envoy leaves the body
of an error empty when it does not know one of them (``maybeConvertGrpcStatus`` of its transcoder).
So the set gets the standard ones, unless it has its own.
"""

from collections.abc import Container

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc import error_details_pb2, status_pb2

from grpc_operator.descriptor.symbols import Symbols, defined

_MODULES = (any_pb2, duration_pb2, status_pb2, error_details_pb2)


def _read(descriptor: bytes) -> FileDescriptorProto:
    file = FileDescriptorProto.FromString(descriptor)
    file.ClearField("source_code_info")
    return file


_FILES = tuple(_read(module.DESCRIPTOR.serialized_pb) for module in _MODULES)

STATUS = "google.rpc.Status"
MESSAGES = tuple(
    symbol.name
    for file in _FILES
    for symbol in defined(file)
    if symbol.name.count(".") == STATUS.count(".")
)
"""Full names of ``google.rpc.Status``, its standard details, and what they need."""


def complete(symbols: Symbols) -> None:
    """Adds the files of the standard details that are missing.

    Symbols count, not names of files: Envoy adds ``google.rpc.Status`` itself where it is missing,
    and fails when the set has another file under that name.
    """
    for file in _FILES:
        if symbols.named.keys().isdisjoint(symbol.name for symbol in defined(file)):
            symbols.add(_copy(file, symbols.files))


def _copy(file: FileDescriptorProto, files: Container[str]) -> FileDescriptorProto:
    """Returns a copy (resolving rewrites references in place), under a name that is free."""
    copy = FileDescriptorProto()
    copy.CopyFrom(file)
    while copy.name in files:
        copy.name = f"grpc-operator/{copy.name}"
    return copy
