"""Route tables of virtual hosts, and what takes the place of a virtual host that Envoy refuses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.config.route.v3 import route_pb2

from grpc_operator.gateway.envoy.protobuf import of_bytes, opening, serialised
from grpc_operator.gateway.snapshot import ROUTES, Part, Resource
from grpc_operator.resources import Key

_NUMBER = route_pb2.RouteConfiguration.VIRTUAL_HOSTS_FIELD_NUMBER


def part(domains: tuple[str, ...], services: frozenset[Key], routes: bytes) -> Part:
    """Returns a virtual host.

    Args:
        domains: At least one.
        services: Those that claim something on it.
        routes: A serialised virtual host with nothing but routes, of ``route_matchers``.
    """
    head = serialised(route.VirtualHost(name=domains[0], domains=domains))
    return Part(domains, services, opening(_NUMBER, len(head) + len(routes)) + head, routes)


def table(name: str, frame: bytes, parts: tuple[Part, ...]) -> Resource:
    """Returns a route table: joined bytes are the joined lists.

    Args:
        name: Name of the resource.
        frame: The serialised table without virtual hosts.
        parts: The virtual hosts.
    """
    each = (piece for one in parts for piece in (one.opening, one.routes))
    return replace(of_bytes(name, ROUTES, b"".join((frame, *each))), frame=frame, parts=parts)


def without(of: Resource, left_out: frozenset[Part], accepted: Iterable[Part]) -> Resource:
    """Returns a shared table in which some virtual hosts stay as they were accepted last.

    The domains are those of the new table, so that no request falls through to the wildcard of
    somebody else. A domain on which nothing was accepted of the same namespaces has no routes.

    Args:
        of: The table.
        left_out: Some of its virtual hosts.
        accepted: The virtual hosts that the proxy had before.
    """
    before = {domain: each for each in accepted for domain in each.domains}
    parts: list[Part] = []
    for each in of.parts:
        parts += _as_before(each, before) if each in left_out else [each]
    made = table(of.name, of.frame, tuple(parts))
    return replace(of, version=made.version, body=made.body, parts=made.parts)


def _as_before(of: Part, before: Mapping[str, Part]) -> list[Part]:
    namespaces = _namespaces(of)
    domains: dict[bytes, list[str]] = defaultdict(list)
    for domain in of.domains:
        was = before.get(domain)
        is_own = was is not None and _namespaces(was) <= namespaces
        domains[was.routes if was is not None and is_own else b""].append(domain)
    return [part(tuple(names), of.services, routes) for routes, names in domains.items()]


def _namespaces(of: Part) -> set[str]:
    return {service.namespace for service in of.services}
