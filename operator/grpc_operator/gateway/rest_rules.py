"""Which REST rules of a GrpcService are served.

A rule that cannot be served never costs more than itself: the others of the method are served, and
``status.services`` names it with the reason. Of two rules that match the same requests, the first
one in the order of the descriptor is served; ``methods[].rest: Disabled`` leaves it to the other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from grpc_operator import limits
from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor import given_rules
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.http_rule import group_problem
from grpc_operator.descriptor.model import Binding, Method, RefusedRule, Service
from grpc_operator.gateway import patterns, rest
from grpc_operator.gateway.method_policy import ALL


def served(gateway: Gateway, services: Iterable[Service]) -> tuple[Service, ...]:
    """Returns services whose methods have the bindings to serve, and the rules that are refused.

    Args:
        gateway: ``spec.gateway``.
        services: As the descriptor has them.
    """
    rules = _Rules(gateway)
    found = tuple(
        replace(each, methods=tuple(rules.written(each.name, method) for method in each.methods))
        for each in services
    )
    if gateway.rest.auto_mapping == "Enabled":
        found = tuple(
            replace(each, methods=tuple(rules.automatic(each.name, it) for it in each.methods))
            for each in found
        )
    return tuple(_placed(gateway, each) for each in found) if gateway.http_rules else found


def _placed(gateway: Gateway, service: Service) -> Service:
    """Returns a service whose refused rules say where they are in the spec."""
    return replace(
        service,
        methods=tuple(
            replace(method, refused=tuple(_in_spec(gateway, service, method)))
            if method.refused
            else method
            for method in service.methods
        ),
    )


def _in_spec(gateway: Gateway, service: Service, method: Method) -> Iterator[RefusedRule]:
    places = given_rules.places(gateway.http_rules, service.name, method)
    for each in method.refused:
        yield replace(each, field=places.get(each.rule, ""))


@dataclass
class _Rules:
    """The rules of all methods of one GrpcService, as far as they were seen.

    Attributes:
        claimed: By HTTP method and path, which method answers it.
    """

    gateway: Gateway
    claimed: dict[tuple[str, tuple[str, ...], str], str] = field(default_factory=dict)

    def written(self, service: str, method: Method) -> Method:
        """Returns a method with those of its rules that are served."""
        if not self._is_offered(service, method.name):
            return replace(method, bindings=(), refused=())
        served: list[Binding] = []
        refused = [*method.refused]
        for binding in method.bindings:
            reason = self._problem(binding)
            if reason is None:
                self.claimed[_shape(binding)] = f"{service}/{method.name}"
                served.append(binding)
            else:
                refused.append(RefusedRule(f"{binding.verb} {shown(binding.template)}", reason))
        return replace(method, bindings=tuple(served), refused=tuple(refused))

    def automatic(self, service: str, method: Method) -> Method:
        """Returns a method with the binding of ``autoMapping`` after its own.

        A method whose annotation maps the body to a field of type google.api.HttpBody stays as it
        is: Envoy reads the bodies of all its bindings in the same way.
        """
        binding = Binding(
            verb="POST",
            template=f"/{service}/{method.name}",
            segments=(service, method.name),
            body="*",
            response_body=method.bindings[0].response_body if method.bindings else "",
            raw_body=method.raw_request,
        )
        fits = all(each.raw_body == binding.raw_body for each in method.bindings)
        if not fits or not self._is_offered(service, method.name) or self._problem(binding):
            return method
        if method.group:
            rule = RefusedRule(f"POST {binding.template}", group_problem(method.group))
            return replace(method, refused=(*method.refused, rule))
        self.claimed[_shape(binding)] = f"{service}/{method.name}"
        return replace(method, bindings=(*method.bindings, binding))

    def _is_offered(self, service: str, method: str) -> bool:
        if not rest.is_offered(self.gateway):
            return False
        given = {
            policy.method: policy.rest
            for policy in self.gateway.methods or ()
            if policy.service == service and policy.rest is not None
        }
        return (given.get(method) or given.get(ALL)) != "Disabled"

    def _problem(self, binding: Binding) -> str | None:
        wrong = patterns.problem(binding)
        if wrong is not None:
            return wrong
        other = self.claimed.get(_shape(binding))
        if other is not None:
            return f"matches the same requests as a rule of {other}, which is served"
        if len(self.claimed) >= limits.DESCRIPTOR_ALL_BINDINGS.value:
            return f"a GrpcService has at most {limits.DESCRIPTOR_ALL_BINDINGS} HTTP bindings"
        return None


def _shape(binding: Binding) -> tuple[str, tuple[str, ...], str]:
    return binding.verb, binding.segments, binding.custom_verb
