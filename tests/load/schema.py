"""The Echo service in any package: its descriptors and message classes, made at run time.

Each package gets REST paths of its own, so that several Echo services fit on one host:
``load.a.Echo`` answers ``GET /a/say/{number}``, ``POST /a/say`` and ``GET /a/count``.
"""

from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_INT32 = descriptor_pb2.FieldDescriptorProto.TYPE_INT32
_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING

_MESSAGES = {
    "SayRequest": {"number": _INT32, "delay_ms": _INT32},
    "SayReply": {"number": _INT32, "instance": _STRING},
    "CountRequest": {"messages": _INT32, "interval_ms": _INT32},
    "CountReply": {"position": _INT32},
    "ChatMessage": {"position": _INT32},
}


@dataclass(frozen=True)
class Echo:
    """One Echo service.

    Attributes:
        package: Its protobuf package, such as ``load.a``.
        extended: Also offer Say as ``GET /a/again/{number}``: what a descriptor change brings.
    """

    package: str
    extended: bool = False

    @property
    def service(self) -> str:
        """The full name."""
        return f"{self.package}.Echo"

    @property
    def root(self) -> str:
        """What every REST path begins with, such as ``/a``."""
        return f"/{self.package.rsplit('.', 1)[-1]}"

    def file(self) -> descriptor_pb2.FileDescriptorProto:
        """Returns the proto file."""
        file = descriptor_pb2.FileDescriptorProto(
            name=f"{self.package.replace('.', '/')}/echo.proto",
            package=self.package,
            syntax="proto3",
            dependency=["google/api/annotations.proto"],
        )
        for name, fields in _MESSAGES.items():
            message = file.message_type.add(name=name)
            for number, (field, type_) in enumerate(fields.items(), 1):
                message.field.add(name=field, number=number, type=type_, label=1)
        service = file.service.add(name="Echo")
        say = self._method(service, "Say", "SayRequest", "SayReply")
        _bind(say, self._say_rule())
        count = self._method(service, "Count", "CountRequest", "CountReply")
        count.server_streaming = True
        _bind(count, http_pb2.HttpRule(get=f"{self.root}/count"))
        chat = self._method(service, "Chat", "ChatMessage", "ChatMessage")
        chat.client_streaming = chat.server_streaming = True
        return file

    def file_set(self) -> bytes:
        """Returns the serialised FileDescriptorSet with every import."""
        files: dict[str, descriptor_pb2.FileDescriptorProto] = {}

        def add(descriptor: Any) -> None:
            for dependency in descriptor.dependencies:
                add(dependency)
            file = descriptor_pb2.FileDescriptorProto()
            descriptor.CopyToProto(file)
            files.setdefault(file.name, file)

        add(annotations_pb2.DESCRIPTOR)
        return descriptor_pb2.FileDescriptorSet(
            file=[*files.values(), self.file()]
        ).SerializeToString()

    def messages(self) -> dict[str, type[Message]]:
        """Returns the message classes by their names; registers the file for reflection."""
        pool = descriptor_pool.Default()
        file = self.file()
        pool.AddSerializedFile(file.SerializeToString())
        return {
            name: message_factory.GetMessageClass(
                pool.FindMessageTypeByName(f"{self.package}.{name}")
            )
            for name in _MESSAGES
        }

    def _say_rule(self) -> http_pb2.HttpRule:
        rule = http_pb2.HttpRule(get=f"{self.root}/say/{{number}}")
        rule.additional_bindings.add(post=f"{self.root}/say", body="*")
        if self.extended:
            rule.additional_bindings.add(get=f"{self.root}/again/{{number}}")
        return rule

    def _method(
        self, service: descriptor_pb2.ServiceDescriptorProto, name: str, request: str, reply: str
    ) -> descriptor_pb2.MethodDescriptorProto:
        return service.method.add(
            name=name,
            input_type=f".{self.package}.{request}",
            output_type=f".{self.package}.{reply}",
        )


def _bind(method: descriptor_pb2.MethodDescriptorProto, rule: http_pb2.HttpRule) -> None:
    method.options.Extensions[annotations_pb2.http].CopyFrom(rule)


def serialize(message: Message) -> bytes:
    """Returns a message as it travels."""
    return message.SerializeToString()
