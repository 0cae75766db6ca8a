"""What an attachment costs a proxy: an upper bound, computed before anything is built.

The number of routes is hosts x bindings x listeners, so a small object can ask for a large
configuration. The parts are counted as ``gateway.envoy`` builds them where it builds most: every
REST path with a regular expression of its own, as if another service had its literal prefix too.
Weights are measured with Envoy 1.40 (docs/adr/0027-budgets.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grpc_operator.descriptor.model import Binding
from grpc_operator.gateway import hosts, patterns
from grpc_operator.gateway.ir import Api, Attachment, Cors, Listener

_KIB = 1024
_OF_TABLE = 72 * _KIB
_OF_VIRTUAL_HOST = 1 * _KIB
_OF_GRPC_ROUTE = 5 * _KIB
_OF_REST_ROUTE = 3 * _KIB
_OF_REST_METHOD = 4 * _KIB
_OF_SHARE = 2 * _KIB
_OF_CORS = 4 * _KIB
_OF_BYTE = 5
_OF_DESCRIPTOR_BYTE = 36
"""Memory in bytes of a proxy for each: of a byte on top of what it is part of."""

_TABLE_BYTES = 2048
_VIRTUAL_HOST_BYTES = 1024
_GRPC_ROUTE_BYTES = 640
_REST_ROUTE_BYTES = 320
_REST_METHOD_BYTES = 512
_PATH_BYTES = 8
_EXPRESSION = 3
_CORS_BYTES = 512
_PATTERN_BYTES = 16
_WILDCARD_BYTES = 6
_SHARE_BYTES = 320
_TAG_BYTES = 384
"""Serialised size without what users choose: names, paths and CORS policies."""

_REFUSALS = 2
"""Routes of a virtual host that refuse malformed metadata."""


@dataclass(frozen=True)
class Cost:
    """Upper bounds of what is built.

    Attributes:
        tables: Route tables.
        virtual_hosts: Virtual hosts of all tables.
        grpc_routes: Routes of gRPC and gRPC-Web.
        rest_routes: Routes that find the service of a REST path.
        rest_methods: Routes of methods in REST scopes.
        shares: Revisions of all routes that split calls.
        cors: Times that the CORS policy is part of a route.
        size: Serialised size of all of it in bytes, without the descriptor.
        descriptor: Bytes of the FileDescriptorSets.
    """

    tables: int = 0
    virtual_hosts: int = 0
    grpc_routes: int = 0
    rest_routes: int = 0
    rest_methods: int = 0
    shares: int = 0
    cors: int = 0
    size: int = 0
    descriptor: int = 0

    @property
    def routes(self) -> int:
        """All routes."""
        return self.grpc_routes + self.rest_routes + self.rest_methods

    @property
    def memory(self) -> int:
        """Bytes of memory in every proxy of the gateway."""
        return (
            self.tables * _OF_TABLE
            + self.virtual_hosts * _OF_VIRTUAL_HOST
            + self.grpc_routes * _OF_GRPC_ROUTE
            + self.rest_routes * _OF_REST_ROUTE
            + self.rest_methods * _OF_REST_METHOD
            + self.shares * _OF_SHARE
            + self.cors * _OF_CORS
            + self.size * _OF_BYTE
            + self.descriptor * _OF_DESCRIPTOR_BYTE
        )

    def __add__(self, other: "Cost") -> "Cost":
        """Returns the cost of both."""
        return Cost(
            self.tables + other.tables,
            self.virtual_hosts + other.virtual_hosts,
            self.grpc_routes + other.grpc_routes,
            self.rest_routes + other.rest_routes,
            self.rest_methods + other.rest_methods,
            self.shares + other.shares,
            self.cors + other.cors,
            self.size + other.size,
            self.descriptor + other.descriptor,
        )


@dataclass(frozen=True)
class Places:
    """Where an attachment is served.

    Attributes:
        listeners: Listeners that accept one of its hosts.
        domains: Virtual hosts of a path segment, those of all listeners.
        claims: Times that REST paths are among these: a virtual host also has those of the broader
            hosts.
        ends: Virtual hosts of a path segment where the wildcards among these end: one without
            routes, and one for each wildcard that shares hosts with other namespaces.
    """

    listeners: int
    domains: int
    claims: int
    ends: int

    @classmethod
    def of(cls, listeners: Sequence[Listener], attachment: Attachment) -> "Places":
        """Returns where the listeners of a gateway serve an attachment."""
        accepted = [
            [domain for domain in found if domain is not None]
            for listener in listeners
            if attachment.is_on(listener.name)
            for found in [
                [hosts.intersect(listener.hostname, each) for each in attachment.hostnames]
            ]
        ]
        return cls(
            sum(map(bool, accepted)),
            sum(len(set(domains)) for domains in accepted),
            sum(
                hosts.covers(broader, domain)
                for domains in accepted
                for domain in set(domains)
                for broader in domains
            ),
            sum(1 + wide for wide in map(_wildcards, accepted) if wide),
        )


def _wildcards(domains: Sequence[str]) -> int:
    return sum(domain.startswith(hosts.ANY) for domain in set(domains))


@dataclass(frozen=True)
class Split:
    """What revisions add to the routes of an attachment.

    Attributes:
        destinations: Routes in place of one: that of all calls, and one for each tag.
        shares: Revisions that a route splits calls among.
        scopes: REST scopes, and clusters.
        bytes: Serialised size of what is added to a route.
    """

    destinations: int
    shares: int
    scopes: int
    bytes: int

    @classmethod
    def of(cls, attachment: Attachment) -> "Split":
        """Returns what the revisions of an attachment add; nothing without any."""
        targets, sticky = attachment.targets, attachment.sticky
        if not targets:
            return cls(1, 0, 1, 0)
        tags = {target.tag for target in targets if target.tag}
        size = _TAG_BYTES + max(map(len, tags), default=0)
        if sticky is not None:
            size += len(sticky.header) + len(sticky.cookie)
        # A cluster is named by its share, by the scope of that, and where it gets mirrored calls.
        size += sum(_SHARE_BYTES + 3 * len(target.cluster) for target in targets)
        return cls(1 + len(tags), len(targets), len(targets), size)


def of(listeners: Sequence[Listener], attachment: Attachment) -> Cost:
    """Returns the cost of an attachment at a gateway."""
    places = Places.of(listeners, attachment)
    rest, split = attachment.rest, Split.of(attachment)
    prefixes = rest.prefixes if rest is not None else ()
    times = 2 * split.destinations * places.claims + _REFUSALS * places.claims
    of_prefixes = Cost(
        rest_routes=len(prefixes) * times,
        shares=len(prefixes) * times * split.shares,
        size=sum(_REST_ROUTE_BYTES + 2 * len(each) + split.bytes for each in prefixes) * times,
    )
    # Each further revision has a cluster and a scope.
    total = Cost(tables=split.scopes - 1) + of_prefixes
    total += _of_segments(_segments(attachment), places)
    if rest is not None:
        own = [each.rest for each in attachment.targets if each.rest is not None] or [rest]
        total += Cost(
            descriptor=sum(len(each.descriptor) for each in own), size=_TABLE_BYTES * split.scopes
        )
    for api in attachment.apis:
        total += of_api(attachment, api, places)
    return total


def of_api(attachment: Attachment, api: Api, places: Places) -> Cost:
    """Returns the cost of one gRPC service of an attachment, without route tables."""
    return sum(_parts(attachment, api, places), Cost())


def _parts(attachment: Attachment, api: Api, places: Places) -> Iterator[Cost]:
    protocols = attachment.grpc + attachment.grpc_web
    if protocols:
        yield _of_grpc(attachment, api, protocols, places.domains)
    if attachment.rest is not None and any(method.bindings for method in api.methods):
        yield _of_paths(attachment, api, places.claims)
        yield _of_methods(attachment, api)


def _segments(attachment: Attachment) -> set[str]:
    """Returns the first segments of all paths, each of which has a route table."""
    found = set()
    if attachment.grpc or attachment.grpc_web:
        found |= {api.name for api in attachment.apis}
    if attachment.rest is not None:
        found |= {patterns.first(prefix) for prefix in attachment.rest.prefixes}
        found |= _first_segments(*attachment.apis)
    return found


def _of_segments(segments: set[str], places: Places) -> Cost:
    names = sum(map(len, segments))
    return Cost(
        tables=len(segments) * places.listeners,
        virtual_hosts=len(segments) * (places.domains + places.ends),
        size=(len(segments) * _TABLE_BYTES + 4 * names) * places.listeners
        + len(segments) * _VIRTUAL_HOST_BYTES * (places.domains + places.ends),
    )


def _of_grpc(attachment: Attachment, api: Api, protocols: int, domains: int) -> Cost:
    """Routes of methods and of unknown ones by each protocol, of preflight requests, malformed
    metadata, escaped paths and other requests; with revisions, of calls without a tag that none of
    them takes.
    """
    split = Split.of(attachment)
    to_clusters = protocols * (len(api.methods) + 1) * split.destinations
    routes = to_clusters + 3 + _REFUSALS + bool(attachment.targets)
    names = sum(len(api.name) + len(method.name) for method in api.methods) + (3 + _REFUSALS) * len(
        api.name
    )
    cors = routes if attachment.cors is not None else 0
    size = routes * (_GRPC_ROUTE_BYTES + split.bytes) + cors * _cors_bytes(attachment.cors)
    return Cost(
        grpc_routes=routes * domains,
        shares=to_clusters * split.shares * domains,
        cors=cors * domains,
        size=(size + 2 * names * split.destinations) * domains,
    )


def _of_paths(attachment: Attachment, api: Api, claims: int) -> Cost:
    """Two routes for each path with CORS: its preflight requests have one of their own.

    And in each table those that refuse malformed metadata, and one for paths that match none, which
    has the verbs of each. With revisions, a
    path may have an expression beside its literal prefix, as some of them do not have it.
    """
    split = Split.of(attachment)
    times = (split.destinations + (attachment.cors is not None)) * (2 if attachment.targets else 1)
    paths = [
        _EXPRESSION * (_PATH_BYTES * len(each.segments) + 2 * len(each.template))
        for each in _bindings(api)
    ]
    routes = times * len(paths) + (1 + _REFUSALS) * len(_first_segments(api))
    size = routes * (_REST_ROUTE_BYTES + len(attachment.cluster) + split.bytes)
    size += times * sum(paths) + _verbs_bytes(api)
    shares = routes * split.shares
    return Cost(rest_routes=routes * claims, shares=shares * claims, size=size * claims)


def _of_methods(attachment: Attachment, api: Api) -> Cost:
    """Routes in the REST scope, which a service or each of its revisions has once, whatever its
    hosts.

    One for HEAD if a path has every verb. With a stream of requests, any path may need a route
    beside those of the methods.
    """
    bound = [method for method in api.methods if method.bindings]
    paths = sum(len(api.name) + len(method.name) for method in bound)
    kinds = {method.kind for each in attachment.apis for method in each.methods if method.bindings}
    beside = () if kinds.isdisjoint(("ClientStreaming", "Bidirectional")) else api.patterns
    paths += sum(len(pattern.regex) + len(attachment.cluster) for pattern in beside)
    any_verb = any(each.verb == patterns.ANY_VERB for each in _bindings(api))
    split, routes = Split.of(attachment), len(bound) + len(beside) + any_verb
    size = routes * (_REST_METHOD_BYTES + split.bytes) + paths + len(api.name)
    size += _verbs_bytes(api) + _cors_bytes(attachment.cors)
    return Cost(rest_methods=routes * split.scopes, size=size * split.scopes)


def _verbs_bytes(api: Api) -> int:
    """Text of the patterns by which a refused request learns the verbs of its path.

    A deep wildcard has two of them.
    """
    return sum(
        (1 + (patterns.REST in each.segments))
        * (
            _PATTERN_BYTES
            + len(each.verb)
            + len(each.custom_verb)
            + _WILDCARD_BYTES * len(each.segments)
            + 2 * len(each.template)
        )
        for each in _bindings(api)
    )


def _first_segments(*apis: Api) -> set[str]:
    return {
        each.segments[0] + (f":{each.custom_verb}" if len(each.segments) == 1 else "")
        for each in _bindings(*apis)
    }


def _bindings(*apis: Api) -> Iterator[Binding]:
    for api in apis:
        for method in api.methods:
            yield from method.bindings


def _cors_bytes(cors: Cors | None) -> int:
    if cors is None:
        return 0
    texts = (*cors.allow_origins, *cors.allow_headers, *cors.expose_headers)
    return _CORS_BYTES + sum((6 if "*" in text else 2) * len(text) + 16 for text in texts)
