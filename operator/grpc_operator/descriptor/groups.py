"""Groups of proto2, and fields with ``message_encoding = DELIMITED`` of editions: the same bytes.

Envoy's transcoder reads them, but what it writes for one in a JSON body has no end, and no server
can parse it.
"""

from collections.abc import Mapping
from functools import cached_property

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.references import references, resolved, reversed_
from grpc_operator.descriptor.symbols import Symbol, Symbols


class Groups:
    """The messages of a set that have a group, also inside of other messages.

    Args:
        symbols: The set.
    """

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols

    def inside(self, message: str) -> str | None:
        """Returns the full name of a group that a message, or one inside of it, has.

        Args:
            message: A reference, with or without the leading dot.
        """
        return self._inside.get(message.removeprefix("."))

    def is_group(self, field: FieldDescriptorProto, message: str) -> bool:
        """Returns whether a field of a message is one."""
        return self._is_group(field, self._symbols.named[message.removeprefix(".")])

    @cached_property
    def _inside(self) -> Mapping[str, str]:
        found = {
            name: shown(f"{name}.{field.name}")
            for name, symbol in self._symbols.named.items()
            if isinstance(symbol.proto, DescriptorProto)
            for field in symbol.proto.field
            if self._is_group(field, symbol)
        }
        if not found:
            return found
        needed_by = reversed_(references(self._symbols)[0])
        pending = [*found]
        while pending:
            name = pending.pop()
            for each in needed_by.get(name, ()):
                if each not in found:
                    found[each] = found[name]
                    pending.append(each)
        return found

    def _is_group(self, field: FieldDescriptorProto, message: Symbol) -> bool:
        if field.type == FieldDescriptorProto.TYPE_GROUP:
            return True
        if message.file.syntax != "editions" or not field.type_name:
            return False
        if not _is_delimited(field, message.file):
            return False
        if isinstance(message.proto, DescriptorProto) and message.proto.options.map_entry:
            return False
        found = resolved(self._symbols, field.type_name, message)
        if found is None or not isinstance(found.proto, DescriptorProto):
            return False
        return not found.proto.options.map_entry


def _is_delimited(field: FieldDescriptorProto, file: FileDescriptorProto) -> bool:
    for options in (field.options, file.options):
        if options.features.HasField("message_encoding"):
            return options.features.message_encoding == FeatureSet.DELIMITED
    return False
