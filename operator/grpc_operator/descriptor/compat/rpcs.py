"""Packages, services and methods."""

from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import MethodDescriptorProto, MethodOptions

from grpc_operator.descriptor.compat.breaking import Breaking
from grpc_operator.descriptor.compat.schema import Schema


def breaking(old: Schema, new: Schema) -> Iterator[Breaking]:
    """Yields what breaks callers of services and methods, by name."""
    for file, package in sorted(old.packages.items()):
        if new.packages.get(file, package) != package:
            what = f"the package has changed from {package} to {new.packages[file]}"
            yield Breaking("FILE_SAME_PACKAGE", file, f"{what}: breaks all callers of it")
    for name in sorted(old.services):
        if name not in new.services:
            yield Breaking(
                "SERVICE_NO_DELETE",
                name,
                "the gRPC service was removed: its callers get UNIMPLEMENTED",
            )
    methods = dict(new.methods())
    for name, method in sorted(old.methods(), key=lambda each: each[0]):
        if name in methods:
            yield from _changed(name, method, methods[name])
        elif name.rpartition(".")[0] in new.services:
            yield Breaking(
                "RPC_NO_DELETE", name, "the method was removed: its callers get UNIMPLEMENTED"
            )


def _changed(
    name: str, old: MethodDescriptorProto, new: MethodDescriptorProto
) -> Iterator[Breaking]:
    changes = (
        (
            "RPC_SAME_CLIENT_STREAMING",
            "requests",
            _kind(old.client_streaming, new.client_streaming),
        ),
        (
            "RPC_SAME_SERVER_STREAMING",
            "responses",
            _kind(old.server_streaming, new.server_streaming),
        ),
        ("RPC_SAME_REQUEST_TYPE", "the request", (old.input_type[1:], new.input_type[1:])),
        ("RPC_SAME_RESPONSE_TYPE", "the response", (old.output_type[1:], new.output_type[1:])),
        ("RPC_SAME_IDEMPOTENCY_LEVEL", "idempotency_level", (_level(old), _level(new))),
    )
    for rule, what, (before, after) in changes:
        if before != after:
            text = f"{what} changed from {before} to {after}: breaks callers of the method"
            yield Breaking(rule, name, text)


def _kind(*streams: bool) -> tuple[str, str]:
    before, after = ("a stream" if each else "one message" for each in streams)
    return before, after


def _level(method: MethodDescriptorProto) -> str:
    return MethodOptions.IdempotencyLevel.Name(method.options.idempotency_level)
