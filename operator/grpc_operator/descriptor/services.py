"""Which services are exposed, and their methods."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import DescriptorError, Problems, refuse, shown
from grpc_operator.descriptor.http_rule import HttpRuleError, bindings
from grpc_operator.descriptor.limits import MAX_METHODS, MAX_SERVICES
from grpc_operator.descriptor.model import Binding, Kind, Method, Service
from grpc_operator.descriptor.nearest import did_you_mean
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


def select(symbols: Symbols, requested: Sequence[str] | None) -> list[str]:
    """Returns the full names of the services to expose, sorted.

    Args:
        symbols: The set.
        requested: Full names; all but reflection and health when ``None``.

    Raises:
        DescriptorError: One is not in the set, or there are none or too many.
    """
    known = symbols.services
    names = sorted(set(requested) if requested is not None else _applications(known))
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


def describe(symbols: Symbols, names: Iterable[str], *, http: bool) -> tuple[Service, ...]:
    """Returns the services with their methods.

    Args:
        symbols: The set, with resolved types of the methods.
        names: Full names of the services.
        http: Whether ``google.api.http`` counts.

    Raises:
        DescriptorError: An annotation is wrong, or two methods have the same one.
    """
    described = _Described(symbols, http=http)
    found = tuple(described.service(name) for name in names)
    described.problems.check()
    return found


@dataclass
class _Described:
    """Reads services and collects what is wrong with them."""

    symbols: Symbols
    http: bool = field(kw_only=True)
    problems: Problems = field(default_factory=Problems)
    claimed: dict[tuple[str, tuple[str, ...], str], str] = field(default_factory=dict)

    def service(self, name: str) -> Service:
        symbol = self.symbols.named[name]
        prefix = f"{shown(symbol.file.name)}: method {shown(name)}"
        methods = self.symbols.services[name].method
        return Service(name, tuple(self._method(m, f"{prefix}.{m.name}") for m in methods))

    def _method(self, method: MethodDescriptorProto, label: str) -> Method:
        bound = self._bindings(method, label) if self.http else ()
        for binding in bound:
            shape = (binding.verb, binding.segments, binding.custom_verb)
            if shape in self.claimed:
                self.problems.add(
                    f"{label}: google.api.http {binding.verb} {shown(binding.template)} matches the"
                    f" same requests as {self.claimed[shape]}; Envoy would serve neither. Change"
                    " one of them"
                )
            self.claimed.setdefault(shape, f"{label} with {shown(binding.template)}")
        kind = _KINDS[method.client_streaming, method.server_streaming]
        idempotent = method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
        return Method(method.name, kind, idempotent, bound)

    def _bindings(self, method: MethodDescriptorProto, label: str) -> tuple[Binding, ...]:
        try:
            return bindings(method, self.symbols)
        except HttpRuleError as error:
            self.problems.add(f"{label}: google.api.http {error}")
            return ()


def _applications(known: Iterable[str]) -> Iterator[str]:
    return (
        name
        for name in known
        if not name.startswith("grpc.reflection.") and name != "grpc.health.v1.Health"
    )


def _check_counts(names: Sequence[str], known: dict[str, ServiceDescriptorProto]) -> None:
    if len(names) > MAX_SERVICES:
        raise refuse(
            f"exposes {len(names)} gRPC services; at most {MAX_SERVICES} are allowed. List those to"
            " expose in spec.services",
            reason=Reason.DESCRIPTOR_TOO_LARGE,
        )
    for name in names:
        if len(name) > _LONGEST_NAME:
            raise refuse(
                f"service {shown(name)} has a full name of {len(name)} characters; at most"
                f" {_LONGEST_NAME} are allowed"
            )
        count = len(known[name].method)
        if count > MAX_METHODS:
            raise refuse(
                f"{shown(name)} has {count} methods; at most {MAX_METHODS} are allowed",
                reason=Reason.DESCRIPTOR_TOO_LARGE,
            )
