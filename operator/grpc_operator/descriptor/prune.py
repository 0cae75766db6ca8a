"""The smallest set that Envoy transcodes the exposed services with.

Left out: source info, other services, unreachable messages and enums, the fields of messages that
stay only because a needed one is nested in them, extensions and their ranges, and every option that
does not change how bytes or JSON are read. With the options go the imports that only declare them,
such as google/api/annotations.proto: Envoy has that extension compiled in, and reads
``google.api.http`` from the bytes on the methods. Reserved names and numbers stay for ``compat``,
and go before Envoy gets the set (``reserved``).
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import refuse, shown
from grpc_operator.descriptor.options import (
    clean_enum,
    clean_field,
    clean_method,
    clean_oneof,
    clean_options,
    texts,
)
from grpc_operator.descriptor.symbols import Proto, Symbols
from grpc_operator.descriptor.topological_order import ordered

_Scope = FileDescriptorProto | DescriptorProto


def prune(
    symbols: Symbols, services: AbstractSet[str], types: AbstractSet[str], *, http: bool
) -> list[FileDescriptorProto]:
    """Returns new files with what is named, each after those it imports.

    Args:
        symbols: The set, with resolved references in all that is named.
        services: Full names of the services to keep.
        types: Full names of the messages and enums to keep.
        http: Whether ``google.api.http`` stays on the methods.

    Raises:
        DescriptorError: It is too large, files need each other, a text is not UTF-8, or the
            syntax is unknown.
    """
    kept = services | types | {outer for name in types for outer in _enclosing(name, symbols)}
    pruned = {}
    size = 0
    for name in sorted({symbols.named[symbol].file.name for symbol in kept}):
        file = _File(symbols, types, kept, http=http, size=size)
        pruned[name] = file.pruned(symbols.files[name])
        size += pruned[name].ByteSize()
    return ordered(pruned)


def check_size(size: int, file: str) -> None:
    """Refuses a set that has become too large.

    Args:
        size: In bytes.
        file: Name of the last file that counts.

    Raises:
        DescriptorError: Reason ``DescriptorTooLarge``.
    """
    if size > limits.DESCRIPTOR_BYTES.value:
        raise refuse(
            f"has more than {limits.DESCRIPTOR_BYTES} bytes when pruned to the exposed services;"
            f" the limit is reached in {shown(file)}. Expose fewer services (spec.services); when a"
            " message uses google.protobuf.Any, keep what it never holds out of the set",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )


def _enclosing(name: str, symbols: Symbols) -> Iterator[str]:
    outer = name.rpartition(".")[0]
    while outer in symbols.named:
        yield outer
        outer = outer.rpartition(".")[0]


def _check_syntax(file: FileDescriptorProto) -> None:
    if file.syntax not in {"", "proto2", "proto3", "editions"}:
        raise refuse(
            f"{shown(file.name)}: syntax {shown(file.syntax)!r} is not one of proto2, proto3 and"
            " editions"
        )
    if file.edition > Edition.EDITION_2024:
        raise refuse(f"{shown(file.name)}: Envoy 1.40 knows editions up to 2024; use an older one")


@dataclass
class _File:
    """Prunes one file.

    Attributes:
        types: Messages and enums that stay with their fields.
        kept: Everything that stays.
        size: Bytes so far, those of earlier files included: what is far too large must not take
            long to refuse.
        imports: Files that define what has been used so far.
    """

    symbols: Symbols
    types: AbstractSet[str]
    kept: AbstractSet[str]
    http: bool = field(kw_only=True)
    size: int = field(kw_only=True)
    imports: set[str] = field(default_factory=set)

    def pruned(self, old: FileDescriptorProto) -> FileDescriptorProto:
        _check_syntax(old)
        prefix = f"{old.package}." if old.package else ""
        new = FileDescriptorProto(name=old.name)
        if old.HasField("package"):
            new.package = old.package
        if old.HasField("syntax"):
            new.syntax = old.syntax
        if old.HasField("edition"):
            new.edition = old.edition
        if old.options.HasField("features"):
            new.options.features.CopyFrom(old.options.features)
        self._add_types(old, new, prefix)
        new.service.extend(self._service(s) for s in old.service if self._keeps(prefix, s))
        self._count(sum(service.ByteSize() for service in new.service), old.name)
        new.dependency.extend(sorted(self.imports - {old.name}))
        return new

    def _add_types(self, old: _Scope, new: _Scope, prefix: str) -> None:
        nested = old.message_type if isinstance(old, FileDescriptorProto) else old.nested_type
        target = new.message_type if isinstance(new, FileDescriptorProto) else new.nested_type
        target.extend(self._message(m, prefix + m.name) for m in nested if self._keeps(prefix, m))
        new.enum_type.extend(enum for enum in old.enum_type if self._keeps(prefix, enum))
        for enum in new.enum_type:
            clean_enum(enum)

    def _keeps(self, prefix: str, proto: Proto) -> bool:
        return prefix + proto.name in self.kept

    def _message(self, old: DescriptorProto, name: str) -> DescriptorProto:
        new = DescriptorProto(name=old.name)
        if old.HasField("visibility"):
            new.visibility = old.visibility
        if old.HasField("options"):
            new.options.CopyFrom(old.options)
            clean_options(new.options)
        if name in self.types:
            self._add_fields(old, new, name)
        self._add_types(old, new, f"{name}.")
        return new

    def _add_fields(self, old: DescriptorProto, new: DescriptorProto, name: str) -> None:
        new.field.extend(old.field)
        for added in new.field:
            clean_field(added, name)
            if added.type_name:
                self._use(added.type_name)
        new.oneof_decl.extend(old.oneof_decl)
        for oneof in new.oneof_decl:
            clean_oneof(oneof, name)
        new.reserved_range.extend(old.reserved_range)
        new.reserved_name.extend(texts(old.reserved_name))
        self._count(new.ByteSize(), self.symbols.named[name].file.name)

    def _service(self, old: ServiceDescriptorProto) -> ServiceDescriptorProto:
        new = ServiceDescriptorProto(name=old.name, method=old.method)
        for method in new.method:
            clean_method(method, http=self.http)
            self._use(method.input_type)
            self._use(method.output_type)
        return new

    def _count(self, size: int, file: str) -> None:
        self.size += size
        check_size(self.size, file)

    def _use(self, reference: str) -> None:
        self.imports.add(self.symbols.named[reference.removeprefix(".")].file.name)
