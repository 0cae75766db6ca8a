"""REST rules for protos without ``google.api.http``, by the names of the methods.

Names, paths and bodies are those of the API Improvement Proposals (aip.dev): ``GetUser`` is
``GET /v1/users/{id}`` (AIP-131), ``CancelOrder`` is ``POST /v1/orders/{id}:cancel`` (AIP-136). Each
proposal is checked as an annotation would be.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import MethodDescriptorProto
from pydantic import ValidationError

from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import http_rule
from grpc_operator.descriptor.closure import Closure
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.files import read
from grpc_operator.descriptor.given_rules import annotation
from grpc_operator.descriptor.groups import Groups
from grpc_operator.descriptor.model import Binding
from grpc_operator.descriptor.resource_paths import ResourcePaths
from grpc_operator.descriptor.services import select
from grpc_operator.descriptor.symbols import Symbols

_PATH = re.compile(r"(/(?![.]{1,2}(/|$))[-A-Za-z0-9._~]+)*")
_STREAMS = "its client sends a stream, and a REST request is one message; call it by gRPC"
_TOO_LONG = "its names are too long for a rule; write google.api.http into the proto file"
_LONGEST_ROUTE = 253


@dataclass(frozen=True)
class Without:
    """A method for which no rule is proposed.

    Attributes:
        method: Full name, such as ``user.v1.UserService.SyncUsers``.
        reason: Why not, and what to do.
    """

    method: str
    reason: str


@dataclass(frozen=True)
class Proposed:
    """What is proposed for the methods of some services.

    Attributes:
        rules: In the order of services and methods; none for methods with an annotation.
        without: The other methods without an annotation.
    """

    rules: tuple[HttpRule, ...]
    without: tuple[Without, ...]


def proposed_rules(
    data: bytes, services: Sequence[str] | None = None, prefixes: Iterable[str] = ()
) -> Proposed:
    """Returns rules for the methods that have no ``google.api.http``.

    Args:
        data: A serialised FileDescriptorSet.
        services: Full names; all but reflection and health when ``None``.
        prefixes: Paths that are routed to the services, such as ``/v1/users/*``: what is proposed
            is below one of them. Only what is before a wildcard counts.

    Raises:
        DescriptorError: The set cannot be used.
        ValueError: A prefix is not a path; names it.
    """
    routes = tuple(map(_route, prefixes))
    symbols = Symbols.of(read(data).values())
    names = select(symbols, services)
    Closure(symbols).add_services(names)
    proposals = _Proposals(symbols, Groups(symbols), routes if all(routes) else ())
    for name in names:
        proposals.add_annotated(name)
    for name in names:
        proposals.add(name)
    return Proposed(tuple(proposals.rules), tuple(proposals.without))


def _route(prefix: str) -> str:
    """Returns a path up to its first wildcard; empty for all paths."""
    fixed = prefix.partition("*")[0]
    if "*" in prefix:
        fixed = fixed[: fixed.rfind("/")]
    fixed = fixed.removesuffix("/")
    if not prefix.startswith("/") or len(fixed) > _LONGEST_ROUTE or not _PATH.fullmatch(fixed):
        raise ValueError(f"{shown(prefix)} is not a path such as /v1/users/*")
    return fixed


@dataclass
class _Proposals:
    symbols: Symbols
    groups: Groups
    routes: tuple[str, ...]
    rules: list[HttpRule] = field(default_factory=list)
    without: list[Without] = field(default_factory=list)
    claimed: dict[tuple[str, tuple[str, ...], str], str] = field(default_factory=dict)

    def add_annotated(self, name: str) -> None:
        """Notes what the annotations of a service have already."""
        for method in self.symbols.services[name].method:
            for binding in http_rule.read(method, self.symbols, self.groups).bindings:
                self.claimed.setdefault(_shape(binding), f"{name}.{method.name}")

    def add(self, name: str) -> None:
        """Adds what is proposed for the other methods of a service."""
        service = self.symbols.services[name]
        paths = ResourcePaths.of(name, service, self.symbols, self.routes)
        for method in service.method:
            if not method.options.HasExtension(annotations_pb2.http):
                found = self._of_method(f"{name}.{method.name}", method, paths)
                if isinstance(found, HttpRule):
                    self.rules.append(found)
                else:
                    self.without.append(found)

    def _of_method(
        self, selector: str, method: MethodDescriptorProto, paths: ResourcePaths
    ) -> HttpRule | Without:
        if method.client_streaming:
            return Without(selector, _STREAMS)
        fields = paths.rule(method)
        if isinstance(fields, str):
            return Without(selector, fields)
        try:
            rule = HttpRule.model_validate({"selector": selector, **fields})
        except ValidationError:
            return Without(shown(selector), _TOO_LONG)
        problem = self._problem(rule, method)
        return rule if problem is None else Without(selector, problem)

    def _problem(self, rule: HttpRule, method: MethodDescriptorProto) -> str | None:
        annotated = MethodDescriptorProto()
        annotated.CopyFrom(method)
        annotated.options.Extensions[annotations_pb2.http].CopyFrom(annotation(rule))
        checked = http_rule.read(annotated, self.symbols, self.groups)
        for refused in checked.refused:
            return f"{refused.rule} {refused.reason}"
        for binding in checked.bindings:
            other = self.claimed.setdefault(_shape(binding), rule.selector)
            if other != rule.selector:
                return f"{other} has {binding.verb} {binding.template}; write a rule with another"
        return None


def _shape(binding: Binding) -> tuple[str, tuple[str, ...], str]:
    return binding.verb, binding.segments, binding.custom_verb
