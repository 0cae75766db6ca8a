"""A FileDescriptorSet from outside to a checked, pruned Descriptor."""

import hashlib
from collections.abc import Iterable, Sequence

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import error_details
from grpc_operator.descriptor.closure import Closure
from grpc_operator.descriptor.descriptor_error import DescriptorError, refuse, shown
from grpc_operator.descriptor.files import read, write
from grpc_operator.descriptor.given_rules import annotate
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.descriptor.packable import packable
from grpc_operator.descriptor.packing import packed
from grpc_operator.descriptor.prune import check_size, prune
from grpc_operator.descriptor.reserved import has_reserved
from grpc_operator.descriptor.services import describe, select
from grpc_operator.descriptor.symbols import Symbols

_ANY = "google.protobuf.Any"


def load(
    data: bytes,
    services: Sequence[str] | None = None,
    *,
    rest: bool = True,
    rules: Iterable[HttpRule] = (),
) -> Descriptor:
    """Returns some services of a serialised FileDescriptorSet.

    The order of files in ``data`` does not matter. The result loads into a protobuf descriptor
    pool, and so into Envoy's transcoder.

    Args:
        data: From outside, not trusted.
        services: Full names; all but reflection and health when ``None``; or ``EVERY``.
        rest: Whether the services are transcoded: ``google.api.http`` is checked and kept, and the
            set can render error details. Without, wrong annotations do no harm.
        rules: ``spec.gateway.rest.rules``, which replace annotations, also in ``data`` of the
            result.

    Raises:
        DescriptorError: Reason ``InvalidDescriptor``, ``DescriptorTooLarge`` or
            ``ServiceNotFound``; names file and symbol, and how to fix them.
    """
    symbols = Symbols.of(read(data).values())
    if rest:
        error_details.complete(symbols)
    names = select(symbols, services)
    if rest:
        annotate(symbols, rules)
    closure = Closure(symbols)
    closure.add_services(names)
    if rest:
        closure.add(name for name in error_details.MESSAGES if name in symbols.named)
    pruned = _pruned(symbols, names, closure, rest=rest)
    written = write(pruned)
    packed(written)
    described = describe(symbols, names, http=rest)
    digest = hashlib.sha256(written).hexdigest()
    return Descriptor(written, digest, described, has_reserved=has_reserved(pruned))


def _pruned(
    symbols: Symbols, services: Sequence[str], closure: Closure, *, rest: bool
) -> list[FileDescriptorProto]:
    """Returns the files with what the services need, and what an Any may hold.

    What is wrong with the latter must not cost the former.
    """
    needed = frozenset(closure.names)
    if _ANY in needed:
        try:
            closure.add(packable(symbols, needed, services))
            return _checked(prune(symbols, set(services), closure.names, http=rest))
        except DescriptorError:
            pass
    return _checked(prune(symbols, set(services), needed, http=rest))


def _checked(pruned: list[FileDescriptorProto]) -> list[FileDescriptorProto]:
    check_size(sum(file.ByteSize() for file in pruned), pruned[-1].name)
    _check_loads(pruned)
    return pruned


def _check_loads(files: Iterable[FileDescriptorProto]) -> None:
    """Refuses what no earlier check has found, with protobuf's own message."""
    pool = DescriptorPool()
    for file in files:
        try:
            pool.AddSerializedFile(file.SerializeToString())
        except TypeError as error:
            detail = str(error).rpartition("descriptor pool: ")[2]
            raise refuse(f"{shown(file.name)}: protobuf rejects it: {shown(detail)}") from error
