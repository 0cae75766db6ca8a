"""FileDescriptorSets from a few lines of YAML.

``{user.v1.UserService: {GetUser: {rest: [GET /v1/users/{id}], kind: Unary, idempotent: true}}}``
(or ``read_only``);
every field named by a path is a string of the method's request, and so is each of ``fields``.
"""

import re
from collections.abc import Iterable
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)

from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import Descriptor, load

_STREAMS = {
    "Unary": (False, False),
    "ClientStreaming": (True, False),
    "ServerStreaming": (False, True),
    "Bidirectional": (True, True),
}
_VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH")


def descriptor(services: dict[str, dict[str, Any]], rules: Iterable[HttpRule] = ()) -> Descriptor:
    """Returns the loaded descriptor of some services, with ``spec.gateway.rest.rules``."""
    files = [_file(full_name, methods) for full_name, methods in services.items()]
    return load(FileDescriptorSet(file=files).SerializeToString(), rules=rules)


def _file(full_name: str, methods: dict[str, Any]) -> FileDescriptorProto:
    package, _, name = full_name.rpartition(".")
    file = FileDescriptorProto(name=f"{full_name}.proto", package=package, syntax="proto3")
    service = file.service.add(name=name)
    for method, options in methods.items():
        request = f"{name}{method}Request"
        paths = [text.partition(" ") for text in (options or {}).get("rest", ())]
        fields = [f"{{{name}}}" for name in (options or {}).get("fields", ())]
        file.message_type.append(_request(request, [*fields, *(path for _, _, path in paths)]))
        rules = [_rule(verb, path) for verb, _, path in paths]
        service.method.append(_method(method, f".{package}.{request}", options or {}, rules))
    return file


def _request(name: str, paths: list[str]) -> DescriptorProto:
    fields = dict.fromkeys(field for path in paths for field in re.findall(r"{(\w+)", path))
    message = DescriptorProto(name=name)
    for number, field in enumerate(fields, start=1):
        message.field.add(
            name=field,
            number=number,
            type=FieldDescriptorProto.TYPE_STRING,
            label=FieldDescriptorProto.LABEL_OPTIONAL,
        )
    return message


def _rule(verb: str, path: str) -> http_pb2.HttpRule:
    body = "*" if verb in ("POST", "PUT", "PATCH") else ""
    if verb not in _VERBS:
        return http_pb2.HttpRule(custom=http_pb2.CustomHttpPattern(kind=verb, path=path))
    return http_pb2.HttpRule(**{verb.lower(): path}, body=body)


def _method(
    name: str, message: str, options: dict[str, Any], rules: list[http_pb2.HttpRule]
) -> MethodDescriptorProto:
    client, server = _STREAMS[options.get("kind", "Unary")]
    method = MethodDescriptorProto(
        name=name,
        input_type=message,
        output_type=message,
        client_streaming=client,
        server_streaming=server,
    )
    if options.get("idempotent"):
        method.options.idempotency_level = MethodOptions.IDEMPOTENT
    if options.get("read_only"):
        method.options.idempotency_level = MethodOptions.NO_SIDE_EFFECTS
    for first in rules[:1]:
        first.additional_bindings.extend(rules[1:])
        method.options.Extensions[annotations_pb2.http].CopyFrom(first)
    return method
