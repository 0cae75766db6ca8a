"""What the exposed services need: every message and enum that a call can carry.

A reference is resolved when it is reached, and rewritten to its absolute form, so that what is
left out later cannot change its meaning. Extensions are not followed: Envoy's transcoder has no
JSON for them (protobuf's type resolver lists the fields of a message only), and gRPC needs no
descriptor.
"""

from collections.abc import Iterable, Sequence

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

from grpc_operator.descriptor.descriptor_error import Problems, shown
from grpc_operator.descriptor.nearest import did_you_mean
from grpc_operator.descriptor.symbols import Symbol, Symbols

_MOST_SHOWN = 5
_OF_OPTIONS = ("google/api/", "google/protobuf/", "gogoproto/", "validate/", "buf/validate/")
"""Imports that rarely define what is in a message of another package."""


class Closure:
    """The messages and enums that are reachable from some roots.

    Attributes:
        names: Full names.
    """

    def __init__(self, symbols: Symbols) -> None:
        self.names: set[str] = set()
        self._symbols = symbols
        self._pending: list[str] = []
        self._problems = Problems()

    def add_services(self, services: Iterable[str]) -> None:
        """Adds the request and response types of the methods of some services.

        Raises:
            DescriptorError: A type is not in the set.
        """
        for name in services:
            service = self._symbols.services[name]
            file = self._symbols.named[name].file
            for method in service.method:
                self._add_method(method, f"{name}.{method.name}", file)
        self._follow()

    def add(self, names: Iterable[str]) -> None:
        """Adds messages and what they need.

        Raises:
            DescriptorError: A type is not in the set.
        """
        for name in names:
            self._reach(name)
        self._follow()

    def _add_method(
        self, method: MethodDescriptorProto, label: str, file: FileDescriptorProto
    ) -> None:
        for reference, role in ((method.input_type, "request"), (method.output_type, "response")):
            where = f"{shown(file.name)}: method {shown(label)}, {role}"
            found = self._resolve(reference, label, file, where)
            if found and not isinstance(found.proto, DescriptorProto):
                self._problems.add(f"{where}: {found.name} is not a message")
            elif found and role == "request":
                method.input_type = f".{found.name}"
            elif found:
                method.output_type = f".{found.name}"

    def _follow(self) -> None:
        while self._pending:
            symbol = self._symbols.named[self._pending.pop()]
            if isinstance(symbol.proto, DescriptorProto):
                for field in symbol.proto.field:
                    if field.type_name:
                        self._add_field(field, symbol)
        self._problems.check()

    def _add_field(self, field: FieldDescriptorProto, message: Symbol) -> None:
        where = f"{shown(message.file.name)}: field {shown(f'{message.name}.{field.name}')}"
        found = self._resolve(field.type_name, message.name, message.file, where)
        if found is None:
            return
        field.type_name = f".{found.name}"
        if not field.HasField("type"):
            is_enum = isinstance(found.proto, EnumDescriptorProto)
            field.type = (
                FieldDescriptorProto.TYPE_ENUM if is_enum else FieldDescriptorProto.TYPE_MESSAGE
            )

    def _resolve(
        self, reference: str, scope: str, file: FileDescriptorProto, where: str
    ) -> Symbol | None:
        if not isinstance(reference, str):
            self._problems.add(f"{where}: type name {shown(reference)!r} is not UTF-8 text")
            return None
        found = self._symbols.resolve(reference, scope, file)
        if found is None:
            self._problems.add(f"{where}: {self._absent(reference, file)}")
            return None
        self._reach(found.name)
        return found

    def _absent(self, reference: str, file: FileDescriptorProto) -> str:
        name = reference.removeprefix(".")
        text = f"type {shown(name)} is not in the set"
        missing = _likely(name, self._symbols.missing_imports(file))
        if missing:
            some = ", ".join(missing[:_MOST_SHOWN]) + (", ..." * (len(missing) > _MOST_SHOWN))
            imports = f"is the import {some}" if len(missing) == 1 else f"are the imports {some}"
            return f"{text}, nor {imports}; add them (protoc --include_imports does)"
        return text + did_you_mean(name, self._symbols.named)

    def _reach(self, name: str) -> None:
        if name not in self.names:
            self.names.add(name)
            self._pending.append(name)


def _likely(name: str, imports: Sequence[str]) -> list[str]:
    """Returns those of some imports that may define a type, by its package.

    Files that only declare options are missing in many sets, and are not needed.
    """
    parts = name.split(".")

    def common(path: str) -> int:
        segments = path.split("/")[:-1]
        pairs = enumerate(zip(parts, segments, strict=False))
        return next((index for index, (a, b) in pairs if a != b), min(len(parts), len(segments)))

    likely = max(map(common, imports), default=0)
    found = [path for path in imports if common(path) == likely]
    return [path for path in found if likely or not path.startswith(_OF_OPTIONS)] or found
