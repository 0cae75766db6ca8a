"""The intermediate representation: what every attached service requests of a gateway.

Made from a GrpcService and its descriptor (``attach``), checked against the others (``merge``),
turned into Envoy's messages (``gateway.envoy``). Frozen and hashable: equal values give equal
resources, so what did not change is neither built nor sent again. Times are seconds; ``None``
means no limit.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property

from grpc_operator import names
from grpc_operator.descriptor.model import RefusedRule
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import hosts
from grpc_operator.gateway.methods import Api, Method, Policy, Retries
from grpc_operator.gateway.patterns import Pattern
from grpc_operator.resources import Key

__all__ = [
    "Api",
    "Attachment",
    "ClientTraffic",
    "Cors",
    "Endpoint",
    "GatewayIr",
    "Grant",
    "HostPolicy",
    "Listener",
    "Method",
    "Policy",
    "Rest",
    "Retries",
    "Sticky",
    "TagHost",
    "Target",
    "cluster_of",
]

_LISTENER_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Cors:
    """Cross-origin resource sharing: which web pages may call (Fetch standard)."""

    allow_origins: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    allow_credentials: bool
    max_age: float


@dataclass(frozen=True)
class Rest:
    """REST/JSON of an attached service.

    Attributes:
        descriptor: The FileDescriptorSet for the transcoder, with the bindings of automatic
            mapping in it.
        services: Full names of the services it transcodes.
        prefixes: Path prefixes whose every path is claimed, such as ``/v1/users``.
        stream_format: ``Array``, ``NDJSON`` or ``SSE``.
        max_bytes: Largest JSON message in bytes.
    """

    descriptor: bytes = field(repr=False)
    services: tuple[str, ...]
    prefixes: tuple[str, ...]
    stream_format: str
    indented: bool
    print_defaults: bool
    enums_as_numbers: bool
    proto_field_names: bool
    ignore_unknown_query: bool
    max_bytes: int


@dataclass(frozen=True)
class Sticky:
    """By what a client is recognized: a header or a cookie; the other one is empty."""

    header: str = ""
    cookie: str = ""


@dataclass(frozen=True)
class Target:
    """A revision that takes calls of an attached service.

    Attributes:
        revision: Its name.
        cluster: Name of its Envoy cluster.
        percent: Percentage of the calls that it takes; those of all targets add up to 100.
        apis: What it serves itself.
        rest: Its own REST settings with its own descriptor; ``None`` without REST.
        tag: By which calls choose it; empty for none.
        mirror_percent: Percentage of the calls that are also sent to it.
    """

    revision: str
    cluster: str
    percent: int
    apis: tuple[Api, ...]
    rest: Rest | None
    tag: str = ""
    mirror_percent: int = 0

    @cached_property
    def api_names(self) -> frozenset[str]:
        """Full names of its gRPC services."""
        return frozenset(api.name for api in self.apis)

    @cached_property
    def methods(self) -> frozenset[tuple[str, str]]:
        """Its methods, each with the full name of its gRPC service."""
        return frozenset((api.name, method.name) for api in self.apis for method in api.methods)

    @cached_property
    def patterns(self) -> frozenset[Pattern]:
        """Its REST paths."""
        if self.rest is None:
            return frozenset()
        return frozenset(pattern for api in self.apis for pattern in api.patterns)

    @property
    def is_reachable(self) -> bool:
        """Whether any call can choose it."""
        return bool(self.percent or self.tag)


@dataclass(frozen=True)
class TagHost:
    """A host that is a tag's: its calls go to the revision with this tag alone."""

    host: str
    tag: str


def cluster_of(key: Key, revision: str) -> str:
    """Returns the name of the Envoy cluster of a revision, named like its Deployment.

    Of the revision that is named like the GrpcService, it is that of a service without revisions.
    """
    digest = names.revision_digest(key.name, revision)
    return f"{key.namespaced_name}@{digest}" if digest else key.namespaced_name


def service_of(cluster: str) -> str:
    """Returns NAMESPACE/NAME of the GrpcService that an Envoy cluster is of a revision of."""
    return cluster.partition("@")[0]


@dataclass(frozen=True)
class Attachment:
    """Everything one GrpcService requests of its gateway.

    Attributes:
        key: The GrpcService.
        created: Its creation time (RFC 3339): the older one wins a conflict, then the smaller key.
        hostnames: The hosts it requests, sorted; ``*`` for every host.
        listeners: Names of the listeners that admit its namespace; ``None`` for all of them.
        apis: gRPC services offered by gRPC and gRPC-Web, exposed infrastructure included; with
            neither protocol enabled, only what REST needs.
        grpc: Whether gRPC is offered.
        grpc_web: Whether gRPC-Web is offered.
        rest: ``None`` without REST.
        validates_metadata: Whether gRPC and gRPC-Web calls with malformed metadata are refused.
        targets: The revisions that take calls; ``apis`` and ``rest`` are then what any of them
            serves. Empty when there is only one, in ``cluster``.
        sticky: By what clients are recognized; ``None`` when each call is split by itself.
        tag_hosts: Those of its hosts that belong to tags.
        unmatched: Rules of the spec that are of no method; no configuration depends on them.
    """

    key: Key
    created: str
    hostnames: tuple[str, ...]
    apis: tuple[Api, ...]
    grpc: bool
    grpc_web: bool
    rest: Rest | None
    cors: Cors | None
    listeners: tuple[str, ...] | None = None
    validates_metadata: bool = True
    targets: tuple[Target, ...] = ()
    sticky: Sticky | None = None
    tag_hosts: tuple[TagHost, ...] = ()
    unmatched: tuple[RefusedRule, ...] = field(default=(), repr=False)

    @cached_property
    def cluster(self) -> str:
        """Name of the Envoy cluster without targets; distinguishes services in any case."""
        return self.key.namespaced_name

    @property
    def clusters(self) -> tuple[str, ...]:
        """Names of the Envoy clusters of all its revisions."""
        return tuple(target.cluster for target in self.targets) or (self.cluster,)

    @property
    def is_split(self) -> bool:
        """Whether it has several revisions."""
        return len(self.targets) > 1

    def is_on(self, listener: str) -> bool:
        """Returns whether a listener admits its namespace."""
        return self.listeners is None or listener in self.listeners

    def held(self) -> "Attachment":
        """Returns one that has its hosts and serves nothing there."""
        return replace(
            self,
            apis=(),
            grpc=False,
            grpc_web=False,
            rest=None,
            cors=None,
            targets=tuple(replace(each, apis=(), rest=None) for each in self.targets),
        )

    def only(self, target: Target) -> "Attachment":
        """Returns what is left of it when one of its targets takes all calls."""
        alone = replace(target, percent=100, tag="", mirror_percent=0)
        return replace(
            self, apis=target.apis, rest=target.rest, targets=(alone,), sticky=None, tag_hosts=()
        )


@dataclass(frozen=True)
class Listener:
    """A port of the gateway.

    Attributes:
        name: Name in the GrpcGateway.
        port: Port the proxies listen on.
        hostname: Only this host or its subdomains (``*.``); ``None`` for any.
        tls: Whether TLS is spoken.

    Raises:
        InvalidSpecError: The name or the host name is not valid. The API server refuses these too;
            here so that nothing else can reach Envoy's formatters and scope keys. The fields of the
            problems are relative to the listener.
    """

    name: str
    port: int
    hostname: str | None = None
    tls: bool = False

    def __post_init__(self) -> None:
        problems = []
        if not _LISTENER_NAME.fullmatch(self.name):
            what = "DNS label that begins with a letter, such as http"
            problems.append(Problem("name", f"{self.name!r} is not a valid {what}"))
        if self.hostname is not None and not hosts.is_hostname(self.hostname):
            problems.append(
                Problem("hostname", f"{self.hostname!r} is not a valid {hosts.VALID_HOSTNAME}")
            )
        if problems:
            raise InvalidSpecError(problems)


@dataclass(frozen=True)
class Grant:
    """Namespaces that may have a host: one entry of ``spec.hostnames`` of a GrpcGateway.

    Attributes:
        hostname: A host, ``*.`` before one, or ``*``.
        namespaces: Their names; those that a selector selects now.
    """

    hostname: str
    namespaces: frozenset[str]


@dataclass(frozen=True)
class HostPolicy:
    """Who may have which host of a gateway; ``gateway.host_rights`` interprets it.

    Attributes:
        gateway: The GrpcGateway.
        domain: Parent of ``NAME.NAMESPACE.DOMAIN``, the default hosts.
        grants: Sorted by host.
        own_names: DNS names of the gateway's own Service.
    """

    gateway: Key
    domain: str
    grants: tuple[Grant, ...] = ()
    own_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClientTraffic:
    """What clients may ask of a listener, under the names of Envoy Gateway's ClientTrafficPolicy.

    Attributes:
        connections: Client connections of one listener of one proxy.
        streams: Calls at a time on one HTTP/2 connection.
        underscores: What happens to headers with underscores in their names: ``RejectRequest``,
            ``DropHeader`` or ``Allow``.
        escaped_slashes: What happens to ``%2F`` and ``%5C`` in paths: ``KeepUnchanged``,
            ``RejectRequest``, ``UnescapeAndForward`` or ``UnescapeAndRedirect``.
        idle_timeout: Seconds without a call after which a connection is closed.
    """

    connections: int
    streams: int
    underscores: str
    escaped_slashes: str
    idle_timeout: float


@dataclass(frozen=True)
class GatewayIr:
    """What the proxies of one GrpcGateway are.

    Attributes:
        key: The GrpcGateway.
        hosts: Who may have which host. Not part of any configuration by itself: a change of it
            builds only what it changes.
        access_log: Whether calls are logged.
        trusted_hops: Number of proxies in front that append to ``x-forwarded-for``.
        probe_host: Host name, unguessable, under which the operator itself reaches the health
            service of every attached service.
    """

    key: Key
    listeners: tuple[Listener, ...]
    access_log: bool
    drain_seconds: float
    probe_host: str
    client_traffic: ClientTraffic
    hosts: HostPolicy = field(compare=False, repr=False)
    trusted_hops: int = 0


@dataclass(frozen=True)
class Endpoint:
    """One address of a service.

    Attributes:
        draining: Whether it gets no new calls; calls that run already stay on it.
        zone: Topology zone, empty when unknown.
    """

    address: str
    port: int
    draining: bool = False
    zone: str = ""
