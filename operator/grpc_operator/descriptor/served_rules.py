"""The rules that are served, in place of those that the descriptor has.

Envoy's transcoder refuses a whole configuration for one rule that it cannot serve, and its own
``auto_mapping`` skips methods that have ``google.api.http``: so it gets the rules that are served,
and no others.
"""

from collections.abc import Iterable, Sequence

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from grpc_operator.descriptor.files import write
from grpc_operator.descriptor.model import Binding, Service
from grpc_operator.descriptor.symbols import Symbols

_VERBS = frozenset({"GET", "PUT", "POST", "DELETE", "PATCH"})


def with_bindings(data: bytes, services: Iterable[Service]) -> bytes:
    """Returns a checked FileDescriptorSet in which the methods have exactly some bindings.

    Args:
        data: The set.
        services: All its services, with the bindings.
    """
    parsed = FileDescriptorSet.FromString(data)
    symbols = Symbols.of(parsed.file)
    for service in services:
        protos = {each.name: each for each in symbols.services[service.name].method}
        for method in service.methods:
            options = protos[method.name].options
            options.ClearExtension(annotations_pb2.http)
            if method.bindings:
                options.Extensions[annotations_pb2.http].CopyFrom(_rule(method.bindings))
    return write(parsed.file)


def _rule(bindings: Sequence[Binding]) -> HttpRule:
    first, *others = (_one(each) for each in bindings)
    first.additional_bindings.extend(others)
    return first


def _one(binding: Binding) -> HttpRule:
    rule = HttpRule(body=binding.body, response_body=binding.response_body)
    if binding.verb in _VERBS:
        setattr(rule, binding.verb.lower(), binding.template)
    else:
        rule.custom.kind, rule.custom.path = binding.verb, binding.template
    return rule
