"""Which services are exposed, and their methods."""

from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.descriptor_pb2 import (
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor import http_rule
from grpc_operator.descriptor.descriptor_error import DescriptorError, refuse, shown
from grpc_operator.descriptor.groups import Groups
from grpc_operator.descriptor.model import Kind, Method, Service
from grpc_operator.descriptor.nearest import did_you_mean
from grpc_operator.descriptor.samples import sample
from grpc_operator.descriptor.symbols import Symbols
from grpc_operator.errors import Problem

_LONGEST_NAME = 253
"""Longest full name of a service in characters (``spec.services``)."""

_KINDS: dict[tuple[bool, bool], Kind] = {
    (False, False): "Unary",
    (True, False): "ClientStreaming",
    (False, True): "ServerStreaming",
    (True, True): "Bidirectional",
}


EVERY = ("*",)
"""Stands for every service of a set that was pruned before, health and reflection included."""


def select(symbols: Symbols, requested: Sequence[str] | None) -> list[str]:
    """Returns the full names of the services to expose, sorted.

    Args:
        symbols: The set.
        requested: Full names; all but reflection and health when ``None``; or ``EVERY``.

    Raises:
        DescriptorError: One is not in the set, or there are none or too many.
    """
    known = symbols.services
    names = sorted(_requested(known, requested))
    if not names:
        raise refuse(
            "defines no gRPC service besides reflection and health; use the set of the .proto file"
            " that has the service",
            reason=Reason.SERVICE_NOT_FOUND,
        )
    absent = [
        Problem(
            "spec.services",
            f"{shown(name)} is not in the descriptor{did_you_mean(name, known)}",
        )
        for name in names
        if name not in known
    ]
    if absent:
        raise DescriptorError(absent, reason=Reason.SERVICE_NOT_FOUND)
    _check_counts(names, known)
    return names


def _requested(known: Iterable[str], requested: Sequence[str] | None) -> Iterable[str]:
    if requested is None:
        return _applications(known)
    return known if tuple(requested) == EVERY else set(requested)


def describe(symbols: Symbols, names: Iterable[str], *, http: bool) -> tuple[Service, ...]:
    """Returns the services with their methods.

    Args:
        symbols: The set, with resolved types of the methods.
        names: Full names of the services.
        http: Whether ``google.api.http`` counts.
    """
    groups = Groups(symbols)
    return tuple(
        Service(
            name,
            tuple(
                _method(each, symbols, groups, http=http) for each in symbols.services[name].method
            ),
        )
        for name in names
    )


def _method(
    method: MethodDescriptorProto, symbols: Symbols, groups: Groups, *, http: bool
) -> Method:
    rules = http_rule.read(method, symbols, groups) if http else http_rule.Rules()
    return Method(
        name=method.name,
        kind=_KINDS[method.client_streaming, method.server_streaming],
        idempotent=method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN,
        bindings=rules.bindings,
        raw_request=method.input_type == http_rule.HTTP_BODY,
        refused=rules.refused,
        group=groups.inside(method.input_type) or "" if http else "",
        read_only=method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
        sample=sample(method, rules.bindings, symbols),
    )


def _applications(known: Iterable[str]) -> Iterator[str]:
    return (
        name
        for name in known
        if not name.startswith("grpc.reflection.") and name != "grpc.health.v1.Health"
    )


def _check_counts(names: Sequence[str], known: dict[str, ServiceDescriptorProto]) -> None:
    if len(names) > limits.DESCRIPTOR_SERVICES.value:
        raise refuse(
            f"exposes {len(names)} gRPC services; at most {limits.DESCRIPTOR_SERVICES} are"
            " allowed. List those to expose in spec.services",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
    for name in names:
        if len(name) > _LONGEST_NAME:
            raise refuse(
                f"service {shown(name)} has a full name of {len(name)} characters; at most"
                f" {_LONGEST_NAME} are allowed"
            )
        count = len(known[name].method)
        if count > limits.DESCRIPTOR_METHODS.value:
            raise refuse(
                f"{shown(name)} has {count} methods; at most {limits.DESCRIPTOR_METHODS} are"
                " allowed",
                reason=Reason.DESCRIPTOR_TOO_LARGE,
            )
