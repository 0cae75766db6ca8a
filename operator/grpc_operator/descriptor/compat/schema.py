"""A FileDescriptorSet by full names, and who sends or reads what."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from grpc_operator.descriptor.compat.breaking import Use
from grpc_operator.descriptor.compat.features import Features, of_file

_REPEATED = FieldDescriptorProto.LABEL_REPEATED


@dataclass(frozen=True, eq=False)
class Message:
    """A message with the features inside of it."""

    name: str
    proto: DescriptorProto
    features: Features

    @cached_property
    def fields(self) -> dict[int, FieldDescriptorProto]:
        """The fields by number, in this order."""
        return {each.number: each for each in sorted(self.proto.field, key=lambda f: f.number)}

    @cached_property
    def named(self) -> dict[str, FieldDescriptorProto]:
        """The fields by name."""
        return {each.name: each for each in self.proto.field}


@dataclass(frozen=True, eq=False)
class Enum:
    """An enum with its features."""

    name: str
    proto: EnumDescriptorProto
    features: Features

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The numbers by name."""
        return {value.name: value.number for value in self.proto.value}


@dataclass(frozen=True, eq=False)
class Schema:
    """A set.

    Attributes:
        packages: By name of the file.
    """

    packages: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    services: dict[str, ServiceDescriptorProto] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> "Schema":
        """Returns the schema of a checked FileDescriptorSet."""
        schema = cls()
        for file in FileDescriptorSet.FromString(data).file:
            prefix = f"{file.package}." if file.package else ""
            schema.packages[file.name] = file.package
            schema.services.update((prefix + each.name, each) for each in file.service)
            schema._add(file.message_type, file.enum_type, prefix, of_file(file))
        return schema

    def _add(
        self,
        messages: Iterable[DescriptorProto],
        enums: Iterable[EnumDescriptorProto],
        prefix: str,
        outer: Features,
    ) -> None:
        for enum in enums:
            name = prefix + enum.name
            self.enums[name] = Enum(name, enum, outer.merged(enum.options))
        for message in messages:
            name = prefix + message.name
            features = outer.merged(message.options)
            self.messages[name] = Message(name, message, features)
            self._add(message.nested_type, message.enum_type, f"{name}.", features)

    def methods(self) -> Iterator[tuple[str, MethodDescriptorProto]]:
        """Yields the methods with their full names."""
        for name, service in self.services.items():
            for method in service.method:
                yield f"{name}.{method.name}", method

    @cached_property
    def uses(self) -> Mapping[str, Use]:
        """What callers do with each message and enum that a method needs, by full name."""
        found: dict[str, Use] = defaultdict(lambda: Use.NONE)
        methods = [method for _, method in self.methods()]
        for use, roots in (
            (Use.SENT, {method.input_type for method in methods}),
            (Use.READ, {method.output_type for method in methods}),
        ):
            for name in self._reachable(roots):
                found[name] |= use
        return dict(found)

    def _reachable(self, references: Iterable[str]) -> set[str]:
        pending = [each.removeprefix(".") for each in references]
        found = set(pending)
        while pending:
            message = self.messages.get(pending.pop())
            for each in message.proto.field if message is not None else ():
                name = each.type_name[1:]
                if name and name not in found:
                    found.add(name)
                    pending.append(name)
        return found

    def use(self, name: str) -> Use:
        """Returns what callers do with a message or enum."""
        return self.uses.get(name, Use.NONE)

    def is_scope(self, message: Message) -> bool:
        """Returns whether a message stays only because a needed one is nested in it.

        Pruning leaves out its fields, so it cannot be compared, and nobody sends or reads it.
        """
        if message.proto.field or message.name in self.uses:
            return False
        return bool(message.proto.nested_type or message.proto.enum_type)

    def is_map(self, each: FieldDescriptorProto) -> bool:
        """Returns whether a field is a map."""
        if each.label != _REPEATED or not each.type_name:
            return False
        entry = self.messages.get(each.type_name[1:])
        return entry is not None and entry.proto.options.map_entry

    def numbers(self, message: str, path: str) -> tuple[int | str, ...]:
        """Returns a path of fields by their numbers.

        Args:
            message: Full name of the message where it begins.
            path: Such as ``user.id``. What is not a field is kept as it is.
        """
        found: list[int | str] = []
        for name in path.split("."):
            known = self.messages.get(message)
            each = known.named.get(name) if known is not None else None
            found.append(name if each is None else each.number)
            message = "" if each is None else each.type_name[1:]
        return tuple(found)
