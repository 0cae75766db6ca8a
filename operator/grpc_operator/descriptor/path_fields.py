"""Request messages for the transcoder, in which only the path can set what the path binds.

google/api/http.proto leaves to query and body the fields that the path does not bind, but Envoy's
transcoder writes all of them, and of several values the last one counts: a query always wins, and a
body under some spellings. So each method with variables gets a request message of its own, equal to
the original one on the wire (docs/adr/0022):

- A field that every binding of the method binds has another name, which only the templates have:
  for query and body there is no such field.
- A field that only some of them bind is the one member of a ``oneof``, and so are the messages
  around it: the transcoder refuses a second value of a ``oneof``.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

from grpc_operator.descriptor import template
from grpc_operator.descriptor.files import write
from grpc_operator.descriptor.http_rule import HTTP_BODY
from grpc_operator.descriptor.symbols import Symbols

_DIGITS = 12


def with_path_fields(data: bytes, services: tuple[str, ...], secret: str) -> bytes:
    """Returns the set in which no other value can replace one that the path binds.

    Args:
        data: A checked FileDescriptorSet.
        services: Full names of the services that are transcoded.
        secret: What no client knows; the new names of fields are made from it.
    """
    parsed = FileDescriptorSet.FromString(data)
    symbols = Symbols.of(parsed.file)
    for service in services:
        for method in symbols.services[service].method:
            _Request(symbols, method, f"{secret}/{service}/{method.name}").separate()
    return write(parsed.file)


@dataclass
class _Request:
    """The request message of one method.

    Attributes:
        copies: Copies of messages with their full names, by the path of fields that leads to them.
    """

    symbols: Symbols
    method: MethodDescriptorProto
    secret: str
    copies: dict[tuple[str, ...], tuple[str, DescriptorProto]] = field(default_factory=dict)

    def separate(self) -> None:
        """Replaces the message, if a binding has variables."""
        rules = list(_rules(self.method))
        bound = [set(template.parse(_text(rule)).variables) for rule in rules]
        variables = sorted(set().union(*bound))
        if not variables or self._is_raw(variables):
            return
        bodies = {rule.body for rule in rules}
        for path in variables:
            everywhere = path not in bodies and all(path in each for each in bound)
            self._bind(tuple(path.split(".")), rules, is_renamed=everywhere)
        for _, message in self.copies.values():
            _sort_oneofs(message)
        self.method.input_type = self.copies[()][0]

    def _is_raw(self, variables: list[str]) -> bool:
        """Returns whether a variable is part of a ``google.api.HttpBody``, which Envoy knows."""
        for path in variables:
            message = self.method.input_type
            for name in path.split("."):
                if message == HTTP_BODY:
                    return True
                message = self.symbols.fields(message)[name].type_name
        return False

    def _bind(self, path: tuple[str, ...], rules: list[HttpRule], *, is_renamed: bool) -> None:
        for depth in range(len(path)):
            message = self._copy(path[:depth])
            found = next(each for each in message.field if each.name == path[depth])
            is_leaf = depth == len(path) - 1
            if not is_leaf:
                self._copy(path[: depth + 1])
                found.type_name = self.copies[path[: depth + 1]][0]
            if is_leaf or not is_renamed:
                _make_oneof(message, found)
            if is_leaf and is_renamed:
                found.name = found.json_name = f"{found.name}_in_path_{self._digest(path)}"
                _rename(rules, path, found.name)

    def _copy(self, path: tuple[str, ...]) -> DescriptorProto:
        """Returns the copy of the message at a path of fields; makes it the first time."""
        if path not in self.copies:
            original = self._original(path)
            symbol = self.symbols.named[original.removeprefix(".")]
            copy = symbol.file.message_type.add()
            copy.CopyFrom(self.symbols.message(original))
            copy.name = f"{copy.name}_{self._digest(path)}"
            package = f".{symbol.file.package}" if symbol.file.package else ""
            name = f"{package}.{copy.name}"
            _keep_maps(copy, original, name)
            self.copies[path] = name, copy
        return self.copies[path][1]

    def _original(self, path: tuple[str, ...]) -> str:
        message = self.method.input_type
        for name in path:
            message = self.symbols.fields(message)[name].type_name
        return message

    def _digest(self, path: tuple[str, ...]) -> str:
        text = f"{self.secret}/{'.'.join(path)}"
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _rules(method: MethodDescriptorProto) -> Iterator[HttpRule]:
    if method.options.HasExtension(annotations_pb2.http):
        first = method.options.Extensions[annotations_pb2.http]
        yield first
        yield from first.additional_bindings


def _text(rule: HttpRule) -> str:
    kind = rule.WhichOneof("pattern")
    text: str = rule.custom.path if kind == "custom" else getattr(rule, str(kind))
    return text


def _rename(rules: list[HttpRule], path: tuple[str, ...], name: str) -> None:
    """Replaces a variable in every template."""
    variable = re.compile(rf"\{{{re.escape('.'.join(path))}(?=[=}}])")
    for rule in rules:
        text = variable.sub(f"{{{'.'.join((*path[:-1], name))}", _text(rule))
        if rule.WhichOneof("pattern") == "custom":
            rule.custom.path = text
        else:
            setattr(rule, str(rule.WhichOneof("pattern")), text)


def _make_oneof(message: DescriptorProto, found: FieldDescriptorProto) -> None:
    """Makes a field the only member of a ``oneof``, unless it is a member of one."""
    if found.HasField("oneof_index") and not found.proto3_optional:
        return
    if not found.HasField("oneof_index"):
        found.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{found.name}")
    found.ClearField("proto3_optional")
    found.label = FieldDescriptorProto.LABEL_OPTIONAL


def _sort_oneofs(message: DescriptorProto) -> None:
    """Puts the oneofs of ``optional`` fields last (descriptor.proto: "must come after")."""
    optional = {each.oneof_index for each in message.field if each.proto3_optional}
    order = sorted(range(len(message.oneof_decl)), key=lambda index: (index in optional, index))
    names = [message.oneof_decl[index].name for index in order]
    for index, name in enumerate(names):
        message.oneof_decl[index].name = name
    for each in message.field:
        if each.HasField("oneof_index"):
            each.oneof_index = order.index(each.oneof_index)


def _keep_maps(copy: DescriptorProto, original: str, name: str) -> None:
    """Leaves of the types inside a copy those of its maps; others stay with the original."""
    maps = [each for each in copy.nested_type if each.options.map_entry]
    entries = {f"{original}.{each.name}": f"{name}.{each.name}" for each in maps}
    for each in copy.field:
        if each.type_name in entries:
            each.type_name = entries[each.type_name]
    kept = [DescriptorProto.FromString(each.SerializeToString()) for each in maps]
    del copy.nested_type[:], copy.enum_type[:], copy.extension[:]
    copy.nested_type.extend(kept)
