"""What a GrpcService says about the gateway: hosts, protocols, policies, REST."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, list_map, rule, rules
from grpc_operator.api.types import Duration, Hostname, ServiceFullName

GrpcCode = Literal[
    "CANCELLED",
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "ABORTED",
    "INTERNAL",
    "UNAVAILABLE",
]

PathPrefix = Annotated[
    str,
    Field(
        max_length=253,
        json_schema_extra=rules(
            rule(
                "self.matches('^(/[-A-Za-z0-9._~]+)+$') && !self.matches('/[.]{1,2}(/|$)')",
                "must be a path such as /v1/users: segments of letters, digits and -._~,"
                " no slash at the end",
            )
        ),
    ),
]
"""A path prefix that ends at a segment."""

Origin = Annotated[
    str,
    Field(
        max_length=253,
        json_schema_extra=rules(
            rule(
                r"self == '*' || self.matches('^https?://([*][.])?[-a-z0-9.]+(:[0-9]{1,5})?$')",
                "must be * or an origin such as https://app.example.com or https://*.example.com",
            )
        ),
    ),
]
"""An origin of a web page (RFC 6454), or a pattern of them."""

HeaderName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][-A-Za-z0-9_]*$")]
"""A header name (RFC 9110 token without the rare characters)."""


class GatewayRef(ApiModel):
    """Names a GrpcGateway."""

    name: str = Field(default="default", min_length=1, max_length=54)
    """Name of the GrpcGateway."""
    namespace: str | None = Field(default=None, min_length=1, max_length=63)
    """Its namespace. When unset: the GrpcService's own if it has a gateway of that name, else the
    operator's."""


class Cors(ApiModel):
    """Which web pages may call the service (CORS). Allowed methods, request headers and readable
    response headers already cover gRPC-Web and REST; preflight requests are answered by the
    gateway.
    """

    allow_origins: list[Origin] = Field(
        min_length=1, max_length=32, json_schema_extra=list_atomic()
    )
    """Origins that may call: `https://app.example.com`, `https://*.example.com`, or `*`."""
    allow_headers: list[HeaderName] | None = Field(
        default=None, max_length=32, json_schema_extra=list_atomic()
    )
    """Request headers to allow besides those of gRPC-Web and REST."""
    expose_headers: list[HeaderName] | None = Field(
        default=None, max_length=32, json_schema_extra=list_atomic()
    )
    """Response headers that pages may read besides those of gRPC."""
    allow_credentials: Literal["Allow", "Deny"] = "Deny"
    """Whether pages may send cookies and authorization of the user."""
    max_age: Duration = "24h"
    """How long a browser may remember the answer to a preflight request."""


class Timeouts(ApiModel):
    """Time limits at the gateway. A client's own deadline (`grpc-timeout`) is honoured."""

    request: Duration | None = None
    """Limit of a unary call from the gateway's view; also the longest deadline a client may ask
    for. When unset, a unary call without a deadline of its own has 15s, and a client's deadline
    stands. `0s`: no limit. Has no effect on streaming methods."""
    stream_idle: Duration | None = None
    """Time without a message in either direction after which a stream is ended; 1h when unset.
    `0s`: never."""
    max_stream_duration: Duration | None = None
    """Longest life of a streaming call; none when unset or `0s`."""


class Retry(ApiModel):
    """Retries at the gateway, under a retry budget of 20% of the calls in flight."""

    attempts: int | None = Field(default=None, ge=0, le=10)
    """Retries after the first try; 2 when unset. 0 turns them off."""
    codes: list[GrpcCode] | None = Field(
        default=None, max_length=8, json_schema_extra=list_atomic()
    )
    """gRPC status codes to retry. When unset: UNAVAILABLE, for methods that declare an
    `idempotency_level`. Calls that provably never reached the server (connection failures, refused
    streams) are retried for every unary method."""
    per_try_timeout: Duration | None = None
    """Limit of each try; none when unset."""


class MethodPolicy(ApiModel):
    """Settings of some methods; what is unset comes from the gateway settings above."""

    service: ServiceFullName
    """Full name of the gRPC service, such as `user.v1.UserService`."""
    method: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$|^[*]$")
    """Name of the method, such as `GetUser`; `*` for all methods of the service."""
    timeouts: Timeouts | None = None
    """Time limits of these methods; what is unset here comes from `gateway.timeouts`."""
    retry: Retry | None = None
    """Retries of these methods; what is unset here comes from `gateway.retry`."""


class PrintOptions(ApiModel):
    """How JSON is written."""

    whitespace: Literal["Compact", "Indented"] = "Compact"
    """Whether answers are indented."""
    primitive_defaults: Literal["Omit", "Print"] = "Omit"
    """Whether fields with the default value of their type (0, "", false) are written."""
    enums: Literal["Names", "Numbers"] = "Names"
    """Whether enum values are written as names or as numbers."""
    field_names: Literal["JSON", "Proto"] = "JSON"
    """Field names as lowerCamelCase, or as in the proto file."""


class Rest(ApiModel):
    """REST/JSON: routes come from `google.api.http` in the descriptor."""

    auto_mapping: Literal["Enabled", "Disabled"] = "Disabled"
    """`Enabled` also offers every method as `POST /package.Service/Method` with a JSON body."""
    prefixes: list[PathPrefix] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """Path prefixes to claim as a whole, such as `/v1/users`: what no method answers is
    404 NOT_FOUND there, and no other service can have it."""
    stream_format: Literal["Array", "NDJSON", "SSE"] = "Array"
    """How a stream of answers is written: one JSON array, one JSON object a line, or server-sent
    events."""
    print_options: PrintOptions = PrintOptions()
    """How JSON is written."""
    unknown_query_parameters: Literal["Reject", "Ignore"] = "Reject"
    """What happens to a query parameter that is no field of the request message: 400
    INVALID_ARGUMENT, or nothing."""


class Gateway(ApiModel):
    """Reach the service through a GrpcGateway: gRPC, gRPC-Web and REST on one host."""

    gateway_ref: GatewayRef = GatewayRef()
    """Which gateway."""
    hostnames: list[Hostname] | None = Field(
        default=None, max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Hosts under which the service is reached, such as `api.example.com` or `*.example.com`;
    every host of the gateway when unset."""
    protocols: list[Literal["GRPC", "GRPCWeb", "REST"]] | None = Field(
        default=None,
        min_length=1,
        max_length=3,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """Protocols to offer; all when unset."""
    expose: list[Literal["Reflection", "Health"]] | None = Field(
        default=None, max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Infrastructure services to offer at the gateway too; none when unset."""
    cors: Cors | None = None
    """Which web pages may call; only those of the same origin when unset."""
    timeouts: Timeouts = Timeouts()
    """Time limits."""
    retry: Retry = Retry()
    """Retries."""
    methods: list[MethodPolicy] | None = Field(
        default=None, max_length=64, json_schema_extra=list_map("service", "method")
    )
    """Settings of single methods. Each must exist in the descriptor."""
    rest: Rest = Rest()
    """REST/JSON."""
    max_message_bytes: int = Field(default=4194304, ge=1024, le=67108864)
    """Largest JSON request or answer in bytes, beyond which REST answers 413 or 500. gRPC and
    gRPC-Web messages pass unbuffered; their limit is the server's own."""


class DescriptorConfigMap(ApiModel):
    """A ConfigMap in the GrpcService's namespace that holds a FileDescriptorSet."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the ConfigMap."""
    key: str = Field(default="descriptor.pb", min_length=1, max_length=253)
    """Key in its `binaryData`."""


class Reflection(ApiModel):
    """gRPC server reflection of a ready pod (grpc.reflection.v1, else v1alpha)."""


class Descriptor(ApiModel):
    """Where the FileDescriptorSet comes from that the gateway's routes are made of; server
    reflection when nothing is set.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "[has(self.reflection), has(self.configMap), has(self.inline)]"
                ".filter(x, x).size() <= 1",
                "set at most one of reflection, configMap and inline",
            )
        )
    )

    reflection: Reflection | None = None
    """Ask a ready pod, once for each rolled out image."""
    config_map: DescriptorConfigMap | None = None
    """Read a ConfigMap."""
    inline: str | None = Field(default=None, min_length=1, max_length=350000)
    """The FileDescriptorSet itself in base64, as
    `protoc --include_imports --descriptor_set_out=/dev/stdout FILE.proto | base64 -w0` prints."""
