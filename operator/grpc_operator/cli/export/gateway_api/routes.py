"""GRPCRoutes and HTTPRoutes of a service (gateway.networking.k8s.io/v1)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grpc_operator import names
from grpc_operator.cli.export.attached import AttachedService, GatewayOfServices
from grpc_operator.gateway.hosts import ANY
from grpc_operator.gateway.ir import Policy
from grpc_operator.gateway.patterns import ANY_VERB, Pattern
from grpc_operator.resources import Manifest

API_VERSION = "gateway.networking.k8s.io/v1"

_MOST_MATCHES = 64
"""Of a rule."""
_MOST_ROUTE_MATCHES = 128
_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})


@dataclass(frozen=True)
class Transcoder:
    """A Service that turns REST into gRPC.

    Attributes:
        namespace: ``None`` for the namespace of each service.
    """

    namespace: str | None
    name: str
    port: int


@dataclass(frozen=True)
class GrpcRule:
    """Methods with the same policy.

    Attributes:
        name: Of the rule in its route.
        policy: Of all of them.
        streams: Whether they are streaming methods.
        matches: GRPCMethodMatches.
    """

    name: str
    policy: Policy
    streams: bool
    matches: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class GrpcRoute:
    """One GRPCRoute."""

    name: str
    rules: tuple[GrpcRule, ...]


def grpc_routes(service: AttachedService, *, by_policy: bool) -> list[GrpcRoute]:
    """Returns the GRPCRoutes of a service; more than one only where they would be too large.

    Args:
        service: The service.
        by_policy: Whether methods whose policy differs have rules of their own.
    """
    attachment = service.attachment
    if not (attachment.grpc or attachment.grpc_web):
        return []
    rules = list(_rules(service)) if by_policy else list(_whole_services(service))
    routes: list[list[GrpcRule]] = [[]]
    for rule in rules:
        used = sum(len(each.matches) for each in routes[-1])
        if used + len(rule.matches) > _MOST_ROUTE_MATCHES:
            routes.append([])
        routes[-1].append(rule)
    name = service.service.workload.name
    return [
        GrpcRoute(name if number == 0 else f"{name}-{number + 1}", tuple(each))
        for number, each in enumerate(routes)
        if each
    ]


def grpc_manifest(
    gateway: GatewayOfServices, service: AttachedService, route: GrpcRoute
) -> Manifest:
    """Returns a GRPCRoute."""
    backend = {"name": names.service_workload(service.service.workload.name)}
    return _route(
        gateway,
        service,
        ("GRPCRoute", route.name),
        [
            {
                "name": rule.name,
                "matches": [{"method": dict(match)} for match in rule.matches],
                "backendRefs": [{**backend, "port": service.service.workload.port}],
            }
            for rule in route.rules
        ],
    )


def http_manifests(
    gateway: GatewayOfServices,
    service: AttachedService,
    transcoder: Transcoder,
    more: dict[str, Any],
) -> Iterator[Manifest]:
    """Yields the HTTPRoutes with the REST paths of a service.

    Args:
        gateway: Its gateway.
        service: The service.
        transcoder: Where the requests go.
        more: Further fields of each rule.
    """
    name = service.service.workload.name
    backend: dict[str, Any] = {"name": transcoder.name, "port": transcoder.port}
    if transcoder.namespace not in (None, service.service.workload.namespace):
        backend["namespace"] = transcoder.namespace
    for number, matches in enumerate(batched_list(_http_matches(service), _MOST_MATCHES)):
        suffix = "" if number == 0 else f"-{number + 1}"
        rule = {"name": "rest", "matches": matches, **more, "backendRefs": [backend]}
        yield _route(gateway, service, ("HTTPRoute", f"{name}-rest{suffix}"), [rule])


def rest_patterns(service: AttachedService) -> list[Pattern]:
    """Returns the REST paths of a service, without those of automatic mapping."""
    return [
        Pattern.of(binding)
        for api in service.attachment.apis
        for method in api.methods
        for binding in method.bindings
        if binding.template != f"/{api.name}/{method.name}"
    ]


def batched_list(values: Sequence[Any], most: int) -> Iterator[list[Any]]:
    """Yields values in lists of a limited length."""
    for start in range(0, len(values), most):
        yield list(values[start : start + most])


def _rules(service: AttachedService) -> Iterator[GrpcRule]:
    """Yields a rule for each policy: the most frequent one for whole services, others by method.

    A streaming method has another one than a unary method. A match of a method takes precedence
    over one of its service, wherever they are (Gateway API, GRPCRouteRule).
    """
    apis = service.attachment.apis
    kinds = [
        (method.policy, method.kind != "Unary", {"service": api.name, "method": method.name})
        for api in apis
        for method in api.methods
    ]
    counted = Counter((policy, streams) for policy, streams, _ in kinds)
    counted.update((api.fallback, False) for api in apis if not api.methods)
    usual = counted.most_common(1)[0][0]
    rules: dict[tuple[Policy, bool], list[dict[str, str]]] = {
        usual: [{"type": "Exact", "service": api.name} for api in apis]
    }
    for policy, streams, match in kinds:
        if (policy, streams) != usual:
            rules.setdefault((policy, streams), []).append({"type": "Exact", **match})
    number = 0
    for (policy, streams), matches in rules.items():
        for some in batched_list(matches, _MOST_MATCHES):
            number += 1
            yield GrpcRule(f"policy-{number}", policy, streams, tuple(some))


def _whole_services(service: AttachedService) -> Iterator[GrpcRule]:
    apis = service.attachment.apis
    matches = [{"type": "Exact", "service": api.name} for api in apis]
    for number, some in enumerate(batched_list(matches, _MOST_MATCHES), start=1):
        yield GrpcRule(f"services-{number}", apis[0].fallback, streams=False, matches=tuple(some))


def _http_matches(service: AttachedService) -> list[dict[str, Any]]:
    """Returns matches of whole prefixes before wildcards: the transcoder knows the paths itself."""
    rest = service.attachment.rest
    found: list[dict[str, Any]] = [
        {"path": {"type": "PathPrefix", "value": prefix}}
        for prefix in (rest.prefixes if rest else ())
    ]
    for pattern in rest_patterns(service):
        is_literal = pattern.prefix == "/" + "/".join(pattern.parts) and not pattern.custom_verb
        path = {"type": "Exact" if is_literal else "PathPrefix", "value": pattern.prefix}
        match: dict[str, Any] = {"path": path}
        if pattern.verb != ANY_VERB and pattern.verb in _VERBS:
            match["method"] = pattern.verb
        if match not in found:
            found.append(match)
    return found


def _route(
    gateway: GatewayOfServices,
    service: AttachedService,
    kind_and_name: tuple[str, str],
    rules: list[dict[str, Any]],
) -> Manifest:
    kind, name = kind_and_name
    namespace = service.service.workload.namespace
    parent = {"name": gateway.name}
    if gateway.namespace != namespace:
        parent["namespace"] = gateway.namespace
    hostnames = [host for host in service.attachment.hostnames if host != ANY]
    spec: dict[str, Any] = {"parentRefs": [parent]}
    # A route without host names takes those of the listeners.
    if hostnames and ANY not in service.attachment.hostnames:
        spec["hostnames"] = hostnames
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**spec, "rules": rules},
    }
