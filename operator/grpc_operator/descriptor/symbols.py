"""The symbols of a set: messages, enums and services by name, and how references resolve."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import refuse, shown

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_PACKAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*")
_LONGEST_PACKAGE = 255

Proto = DescriptorProto | EnumDescriptorProto | ServiceDescriptorProto


@dataclass(frozen=True, eq=False)
class Symbol:
    """A message, enum or service.

    Attributes:
        name: Full name without a leading dot.
    """

    name: str
    file: FileDescriptorProto
    proto: Proto


@dataclass(frozen=True, eq=False)
class Symbols:
    """Every symbol of a set.

    Attributes:
        files: By name.
        named: By full name.
    """

    files: dict[str, FileDescriptorProto] = field(default_factory=dict)
    named: dict[str, Symbol] = field(default_factory=dict)
    _visible: dict[str, set[str]] = field(default_factory=dict)
    _fields: dict[str, dict[str, FieldDescriptorProto]] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[FileDescriptorProto]) -> "Symbols":
        """Returns the symbols of the files.

        Raises:
            DescriptorError: A name is not an identifier, or defined twice, or there are too many.
        """
        symbols = cls()
        for file in files:
            symbols.add(file)
        return symbols

    def add(self, file: FileDescriptorProto) -> None:
        """Adds a file with its symbols.

        Raises:
            DescriptorError: A name is not an identifier, or defined twice, or there are too many.
        """
        self.files[file.name] = file
        for symbol in defined(file):
            first = self.named.setdefault(symbol.name, symbol)
            if first is not symbol:
                raise refuse(_twice(first, symbol))
            if len(self.named) > limits.DESCRIPTOR_SYMBOLS.value:
                raise refuse(
                    f"has more than {limits.DESCRIPTOR_SYMBOLS} messages, enums and services",
                    reason=Reason.DESCRIPTOR_TOO_LARGE,
                )

    def message(self, name: str) -> DescriptorProto:
        """Returns the message of a resolved reference, with or without the leading dot."""
        proto = self.named[name.removeprefix(".")].proto
        if not isinstance(proto, DescriptorProto):
            raise TypeError(f"{name} is not a message")
        return proto

    def fields(self, name: str) -> dict[str, FieldDescriptorProto]:
        """Returns the fields, by name, of the message of a resolved reference."""
        if name not in self._fields:
            self._fields[name] = {field.name: field for field in self.message(name).field}
        return self._fields[name]

    @cached_property
    def services(self) -> dict[str, ServiceDescriptorProto]:
        """Returns the services by full name."""
        return {
            name: symbol.proto
            for name, symbol in self.named.items()
            if isinstance(symbol.proto, ServiceDescriptorProto)
        }

    def resolve(self, reference: str, scope: str, file: FileDescriptorProto) -> Symbol | None:
        """Returns the message or enum that a reference means.

        A leading dot makes it absolute. protobuf.js writes relative ones (descriptor.proto:
        "C++-like scoping rules"): the innermost scope that has the name wins, among the file and
        what it imports. An import that is not in the set may be
        there under another name, so then the other files count as well.

        Args:
            reference: A ``type_name``, ``input_type`` or ``output_type``.
            scope: Full name of what refers.
            file: Where it refers.
        """
        if reference.startswith("."):
            return self._type(reference[1:])
        visible = self._visible_from(file)
        hidden = None
        parts = scope.split(".")
        for depth in range(len(parts), -1, -1):
            found = self._type(".".join((*parts[:depth], reference)))
            if found and found.file.name in visible:
                return found
            hidden = hidden or found
        return hidden if self.missing_imports(file) else None

    def missing_imports(self, file: FileDescriptorProto) -> list[str]:
        """Returns the imports of a file that are not in the set."""
        return [shown(name) for name in file.dependency if name not in self.files]

    def _type(self, name: str) -> Symbol | None:
        found = self.named.get(name)
        return found if found and not isinstance(found.proto, ServiceDescriptorProto) else None

    def _visible_from(self, file: FileDescriptorProto) -> set[str]:
        if file.name in self._visible:
            return self._visible[file.name]
        visible = self._visible[file.name] = {file.name}
        pending = list(file.dependency)
        while pending:
            name = pending.pop()
            if name in visible or name not in self.files:
                continue
            visible.add(name)
            imported = self.files[name]
            count = len(imported.dependency)
            pending += [
                imported.dependency[i] for i in imported.public_dependency if 0 <= i < count
            ]
        return visible


def defined(file: FileDescriptorProto) -> Iterator[Symbol]:
    """Yields the messages, enums and services of a file, outer before inner.

    Raises:
        DescriptorError: A name is not an identifier, or messages are nested too deep.
    """
    prefix = ""
    if file.package:
        _check_package(file)
        prefix = f"{file.package}."
    for service in file.service:
        _check_identifier(service.name, "service", file)
        for method in service.method:
            _check_identifier(method.name, "method", file)
        yield Symbol(prefix + service.name, file, service)
    yield from _types(file.message_type, file.enum_type, prefix, file, depth=1)


def _types(
    messages: Iterable[DescriptorProto],
    enums: Iterable[EnumDescriptorProto],
    prefix: str,
    file: FileDescriptorProto,
    *,
    depth: int,
) -> Iterator[Symbol]:
    for enum in enums:
        _check_identifier(enum.name, "enum", file)
        yield Symbol(prefix + enum.name, file, enum)
    for message in messages:
        _check_identifier(message.name, "message", file)
        if depth > limits.DESCRIPTOR_NESTING.value:
            raise refuse(
                f"{shown(file.name)}: message {shown(prefix + message.name)} is nested more than"
                f" {limits.DESCRIPTOR_NESTING} levels deep, which Envoy does not load"
            )
        yield Symbol(prefix + message.name, file, message)
        inner = f"{prefix}{message.name}."
        yield from _types(message.nested_type, message.enum_type, inner, file, depth=depth + 1)


def _check_package(file: FileDescriptorProto) -> None:
    package = _text(file.package)
    if len(package) > _LONGEST_PACKAGE or not _PACKAGE.fullmatch(package):
        raise refuse(
            f"{shown(file.name)}: package {shown(file.package)!r} is not a valid package: dotted"
            f" identifiers, at most {_LONGEST_PACKAGE} characters"
        )


def _check_identifier(name: str, kind: str, file: FileDescriptorProto) -> None:
    if not _IDENTIFIER.fullmatch(_text(name)):
        raise refuse(
            f"{shown(file.name)}: {kind} name {shown(name)!r} is not a valid identifier: a letter"
            " or _, then letters, digits and _, at most 255"
        )


def _text(value: str) -> str:
    """Returns a string field, or nothing where protobuf gives bytes because it is not UTF-8."""
    return value if isinstance(value, str) else ""


def _twice(first: Symbol, second: Symbol) -> str:
    if first.file is second.file:
        return f"{shown(first.file.name)}: {shown(first.name)} is defined twice"
    return (
        f"{shown(first.name)} is defined both in {shown(first.file.name)} and in"
        f" {shown(second.file.name)}; import it under one path only"
    )
