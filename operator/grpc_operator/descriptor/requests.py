"""What the request of a method says about a resource: which field names it, and which one is it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from google.api import resource_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    MethodDescriptorProto,
)

from grpc_operator.descriptor import template
from grpc_operator.descriptor.method_names import snake
from grpc_operator.descriptor.symbols import Symbols

_IDENTIFIERS = ("id", "{}_id", "uuid", "{}_uuid", "uid", "{}_uid", "name", "{}_name", "slug", "key")
_MESSAGES = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP)
_REPEATED = FieldDescriptorProto.LABEL_REPEATED


@dataclass(frozen=True)
class Requests:
    """The messages of methods.

    Attributes:
        symbols: The set, with resolved types of the methods.
    """

    symbols: Symbols

    def listed(self, method: MethodDescriptorProto) -> str:
        """Returns the name of the message that a List method lists; empty if that is not clear."""
        if method.server_streaming:
            return method.output_type.rpartition(".")[2]
        repeated = [
            field
            for field in self.symbols.message(method.output_type).field
            if field.label == _REPEATED and field.type in _MESSAGES
        ]
        return repeated[0].type_name.rpartition(".")[2] if len(repeated) == 1 else ""

    def resource(self, method: MethodDescriptorProto, noun: str) -> str | None:
        """Returns the field that is the resource itself, as in AIP-133, if there is one."""
        field = self.symbols.fields(method.input_type).get(snake(noun))
        is_one = field is not None and field.type in _MESSAGES and field.label != _REPEATED
        return snake(noun) if is_one else None

    def variable(self, method: MethodDescriptorProto, noun: str) -> str | None:
        """Returns what a path binds to say which resource is meant.

        Returns:
            A field path, with ``=`` and a pattern for a resource name of AIP-122; ``None`` if the
            request says it by no field.
        """
        direct = self._identifier(method.input_type, noun)
        if direct is not None:
            return direct
        body = self.resource(method, noun)
        if body is not None:
            message = self.symbols.fields(method.input_type)[body].type_name
            inner = self._identifier(message, noun)
            return f"{body}.{inner}" if inner is not None else None
        scalars = [*self._singular(method.input_type)]
        only = len(scalars) == 1 and len(self.symbols.fields(method.input_type)) == 1
        return scalars[0].name if only else None

    def parent(self, method: MethodDescriptorProto) -> str | None:
        """Returns what a path binds to say in which resource a collection is (AIP-122), if any."""
        fields = self.symbols.fields(method.input_type)
        pattern = self._pattern(fields["parent"]) if "parent" in fields else ""
        return f"parent={pattern}" if pattern else None

    def is_query(self, method: MethodDescriptorProto) -> bool:
        """Returns whether every field of the request can be a query parameter."""
        return not any(
            each.type in _MESSAGES and not each.type_name.startswith(".google.protobuf.")
            for each in self.symbols.message(method.input_type).field
        )

    def _identifier(self, message: str, noun: str) -> str | None:
        singular = {each.name: each for each in self._singular(message)}
        for candidate in _IDENTIFIERS:
            name = candidate.format(snake(noun))
            if name in singular:
                pattern = self._pattern(singular[name])
                return f"{name}={pattern}" if pattern else name
        return None

    def _singular(self, message: str) -> Iterator[FieldDescriptorProto]:
        for each in self.symbols.message(message).field:
            if each.label != _REPEATED and each.type not in _MESSAGES:
                yield each

    def _pattern(self, field: FieldDescriptorProto) -> str:
        """Returns the pattern of the resource names that a field has, such as ``shelves/*``.

        Empty where the proto does not say it by ``google.api.resource_reference``.
        """
        reference = field.options.Extensions[resource_pb2.resource_reference]
        pattern = self._patterns.get(reference.type or reference.child_type, "")
        if reference.child_type and not reference.type:
            pattern = pattern.rpartition("/")[0].rpartition("/")[0]
        return pattern

    @cached_property
    def _patterns(self) -> dict[str, str]:
        """The first pattern of each type of resource, with wildcards instead of variables."""
        found: dict[str, str] = {}
        for resource in self._resources():
            for pattern in resource.pattern[:1]:
                try:
                    segments = template.parse(f"/{pattern}").segments
                except template.TemplateError:
                    continue
                found.setdefault(resource.type, "/".join(segments))
        return found

    def _resources(self) -> Iterator[resource_pb2.ResourceDescriptor]:
        for file in self.symbols.files.values():
            yield from file.options.Extensions[resource_pb2.resource_definition]
        for symbol in self.symbols.named.values():
            if isinstance(symbol.proto, DescriptorProto):
                yield symbol.proto.options.Extensions[resource_pb2.resource]
