"""Methods of a descriptor, and their messages as JSON (the JSON mapping of protobuf)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor as MessageDescriptor
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health_pb2

from grpc_operator.cli.call import message_json
from grpc_operator.cli.call.message_json import Printing
from grpc_operator.cli.errors import CliError
from grpc_operator.descriptor import EVERY, Service, load, model, nearest
from grpc_operator.gateway import infrastructure

_NO_FIELD = re.compile(r'Message type "([^"]+)" has no field named "([^"]+)"')


@dataclass(frozen=True)
class Called:
    """A method that can be called.

    Attributes:
        service: Full name of its gRPC service.
        method: Kind and REST bindings.
        request: Type of the request.
        response: Type of the response.
    """

    service: str
    method: model.Method
    request: MessageDescriptor
    response: MessageDescriptor

    @property
    def name(self) -> str:
        """``pkg.Service/Method``."""
        return f"{self.service}/{self.method.name}"

    @property
    def streams_requests(self) -> bool:
        """Whether the client sends any number of messages."""
        return self.method.kind in {"ClientStreaming", "Bidirectional"}

    @property
    def streams_responses(self) -> bool:
        """Whether the server sends any number of messages."""
        return self.method.kind in {"ServerStreaming", "Bidirectional"}

    def with_sample(self, text: str, wire: bytes) -> "Called":
        """Returns the method with another request for the commands that are printed."""
        return replace(self, method=replace(self.method, sample=model.Sample(text, wire)))


class Schema:
    """A descriptor whose methods can be called.

    Args:
        data: A FileDescriptorSet.

    Attributes:
        services: With methods and REST bindings.

    Raises:
        DescriptorError: The set cannot be used.
    """

    def __init__(self, data: bytes) -> None:
        loaded = load(data, EVERY)
        self.services: tuple[Service, ...] = loaded.services
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(loaded.data).file:
            self._pool.Add(file)
        self._known = [*loaded.services]
        if not self._has_message(health_pb2.HealthCheckRequest.DESCRIPTOR.full_name):
            self._pool.AddSerializedFile(health_pb2.DESCRIPTOR.serialized_pb)
        if all(each.name != infrastructure.HEALTH for each in self._known):
            self._known += infrastructure.EXPOSABLE["Health"]
        if not self._has_message("google.protobuf.BytesValue"):
            self._pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)

    def method(self, name: str) -> Called:
        """Returns a method by ``pkg.Service/Method``, or by an end of it that only one has.

        Raises:
            CliError: There is none, or several.
        """
        wanted = name.lstrip("/")
        found = {
            f"{service.name}/{method.name}": (service, method)
            for service in self._known
            for method in service.methods
        }
        if wanted not in found:
            wanted = _by_end(wanted, list(found))
        service, method = found[wanted]
        described = self._pool.FindServiceByName(service.name).methods_by_name[method.name]
        return Called(service.name, method, described.input_type, described.output_type)

    def parsed(self, text: str, kind: MessageDescriptor, where: str) -> Message:
        """Returns a message from its JSON.

        Raises:
            CliError: It is not JSON, or does not fit; names the field.
        """
        message = message_factory.GetMessageClass(kind)()
        try:
            json_format.Parse(text, message, descriptor_pool=self._pool)
        except (json_format.ParseError, RecursionError) as error:
            raise CliError(*_refused(str(error), kind), where=where) from error
        return message

    def read(self, data: bytes, kind: MessageDescriptor) -> Message:
        """Returns a message from its wire format.

        Raises:
            CliError: It is not valid: the server has another schema.
        """
        try:
            return message_factory.GetMessageClass(kind).FromString(data)
        except DecodeError as error:
            raise CliError(
                f"the server's response is not a valid {kind.full_name}",
                fix="Does the descriptor fit the server? Give another with --descriptor.",
            ) from error

    def from_value(self, value: Any, message: Message) -> Message:
        """Returns a message filled from plain data.

        Raises:
            json_format.ParseError: It does not fit.
        """
        return json_format.ParseDict(value, message, descriptor_pool=self._pool)

    def json(self, message: Message, printing: Printing) -> Any:
        """Returns the JSON of a message; of an Any of unknown type, its bytes as base64."""
        return message_json.plain(message, printing, self._pool)

    def details(self, packed: Iterable[any_pb2.Any]) -> list[Any]:
        """Returns the details of a status as JSON."""
        return [self.json(each, Printing()) for each in packed]

    def _has_message(self, name: str) -> bool:
        try:
            self._pool.FindMessageTypeByName(name)
        except KeyError:
            return False
        return True


def _by_end(wanted: str, names: list[str]) -> str:
    dotted = wanted if "/" in wanted else "/".join(wanted.rsplit(".", 1))
    ends = tuple(f"{mark}{text}" for mark in "./" for text in {wanted, dotted})
    found = [name for name in names if name == dotted or name.endswith(ends)]
    if len(found) == 1:
        return found[0]
    if found:
        raise CliError(
            f"{wanted} is a method of several services", fix=f"Name one: {', '.join(found)}"
        )
    near = nearest(dotted, names) or nearest(
        dotted.rpartition("/")[2], [name.rpartition("/")[2] for name in names]
    )
    near = next((name for name in names if near and name.endswith(near)), None)
    fix = f"Did you mean {near}?" if near else "List the methods with --list."
    raise CliError(f"there is no method {wanted}", fix=fix)


def _refused(text: str, kind: MessageDescriptor) -> tuple[str]:
    found = _NO_FIELD.search(text)
    if found is None:
        return (f"does not fit {kind.full_name}: {' '.join(text.split())}",)
    message, field = found[1], found[2]
    described = _message(kind, message, set())
    names = [each.json_name for each in described.fields] if described is not None else []
    near = nearest(field, names)
    known = f"did you mean {near}?" if near else f"it has {', '.join(names) or 'no fields'}"
    return (f"{message} has no field {field!r}; {known}",)


def _message(kind: MessageDescriptor, name: str, seen: set[str]) -> MessageDescriptor | None:
    """Returns a type by its name, from those that a message is made of."""
    if kind.full_name == name:
        return kind
    seen.add(kind.full_name)
    for field in kind.fields:
        if field.message_type is not None and field.message_type.full_name not in seen:
            found = _message(field.message_type, name, seen)
            if found is not None:
                return found
    return None
