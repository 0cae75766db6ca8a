"""The intermediate representation: what every attached service requests of a gateway.

Made from a GrpcService and its descriptor (``attach``), checked against the others (``merge``),
turned into Envoy's messages (``gateway.envoy``). Frozen and hashable: equal values give equal
resources, so what did not change is neither built nor sent again. Times are seconds; ``None``
means no limit.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from grpc_operator.descriptor.model import Binding, Kind
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import hosts
from grpc_operator.gateway.patterns import Pattern
from grpc_operator.resources import Key

_LISTENER_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Retries:
    """Retries of a method.

    Attributes:
        attempts: Retries after the first try.
        on: Envoy's ``retry_on`` conditions, sorted.
        statuses: Numeric gRPC status codes to retry for which Envoy has no condition, sorted.
        per_try_timeout: Limit of each try.
    """

    attempts: int
    on: tuple[str, ...]
    statuses: tuple[int, ...] = ()
    per_try_timeout: float | None = None


@dataclass(frozen=True)
class Policy:
    """How calls of a method are handled.

    Attributes:
        timeout: Limit of a call whose client sets no deadline.
        longest_deadline: Limit of the deadline a client may set.
        idle_timeout: Time without a message after which the call ends.
        retries: ``None`` for none.
    """

    timeout: float | None
    longest_deadline: float | None
    idle_timeout: float | None
    retries: Retries | None


@dataclass(frozen=True)
class Method:
    """One method of an attached service, with its effective policy."""

    name: str
    kind: Kind
    policy: Policy
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True)
class Api:
    """One gRPC service that is offered, with all its methods.

    Attributes:
        name: Full name.
        methods: Empty when there is no descriptor: then every path below ``/NAME/`` is passed on
            under ``fallback``.
        fallback: For paths that name no known method.
    """

    name: str
    methods: tuple[Method, ...]
    fallback: Policy

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """Every REST path of its methods, each once, sorted."""
        bindings = (binding for method in self.methods for binding in method.bindings)
        return tuple(sorted({Pattern.of(binding) for binding in bindings}))

    @cached_property
    def shapes(self) -> frozenset[str]:
        """The REST paths as texts, equal ones for the same requests."""
        return frozenset(pattern.shape for pattern in self.patterns)


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
class Attachment:
    """Everything one GrpcService requests of its gateway.

    Attributes:
        key: The GrpcService.
        created: Its creation time (RFC 3339): the older one wins a conflict, then the smaller key.
        hostnames: Empty for every host.
        apis: gRPC services offered by gRPC and gRPC-Web, exposed infrastructure included; with
            neither protocol enabled, only what REST needs.
        grpc: Whether gRPC is offered.
        grpc_web: Whether gRPC-Web is offered.
        rest: ``None`` without REST.
    """

    key: Key
    created: str
    hostnames: tuple[str, ...]
    apis: tuple[Api, ...]
    grpc: bool
    grpc_web: bool
    rest: Rest | None
    cors: Cors | None

    @cached_property
    def cluster(self) -> str:
        """Name of the Envoy cluster, and of everything that belongs to this service alone."""
        return self.key.namespaced_name

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The hosts it requests; ``*`` for every host."""
        return self.hostnames or (hosts.ANY,)


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
class GatewayIr:
    """What the proxies of one GrpcGateway are.

    Attributes:
        key: The GrpcGateway.
        access_log: Whether calls are logged.
        probe_host: Host name, unguessable, under which the operator itself reaches the health
            service of every attached service.
    """

    key: Key
    listeners: tuple[Listener, ...]
    access_log: bool
    drain_seconds: float
    probe_host: str


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
