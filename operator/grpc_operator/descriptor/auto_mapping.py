"""``rest.autoMapping``: every method as ``POST /package.Service/Method`` with a JSON body.

Envoy's own ``auto_mapping`` skips methods that have ``google.api.http``, so the bindings are added
to the descriptor instead.
"""

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto

from grpc_operator.descriptor.files import write
from grpc_operator.descriptor.http_rule import HTTP_BODY, body_is_http_body
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.descriptor.symbols import Symbols


def with_auto_mapping(descriptor: Descriptor) -> bytes:
    """Returns the set in which each method of the services also has its automatic binding.

    A method whose annotation maps the body to a field of type google.api.HttpBody stays as it is:
    Envoy reads the bodies of all its bindings in the same way.

    Args:
        descriptor: Loaded for REST.
    """
    parsed = FileDescriptorSet.FromString(descriptor.data)
    symbols = Symbols.of(parsed.file)
    claimed = {
        (binding.verb, binding.segments, binding.custom_verb)
        for service in descriptor.services
        for method in service.methods
        for binding in method.bindings
    }
    for service in descriptor.services:
        for method in symbols.services[service.name].method:
            if ("POST", (service.name, method.name), "") not in claimed:
                _add(method, f"/{service.name}/{method.name}", symbols)
    return write(parsed.file)


def _add(method: MethodDescriptorProto, path: str, symbols: Symbols) -> None:
    automatic = HttpRule(post=path, body="*")
    if not method.options.HasExtension(annotations_pb2.http):
        method.options.Extensions[annotations_pb2.http].CopyFrom(automatic)
        return
    rule = method.options.Extensions[annotations_pb2.http]
    if body_is_http_body(method, rule.body, symbols) == (method.input_type == HTTP_BODY):
        automatic.response_body = rule.response_body
        rule.additional_bindings.append(automatic)
