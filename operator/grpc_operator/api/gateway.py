"""The fields of a GrpcService about the gateway: hosts, protocols, policies, REST."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from grpc_operator import limits
from grpc_operator.api.base import ApiModel, list_atomic, list_map, rule, rules
from grpc_operator.api.http_rules import HttpRule
from grpc_operator.api.types import AnyHostname, Duration, ServiceFullName

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
                " without a trailing slash",
            )
        ),
    ),
]
"""A path prefix of whole segments."""

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
"""An origin of a web page (RFC 6454), or a pattern of origins."""

HeaderName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][-A-Za-z0-9_]*$")]
"""A header name (RFC 9110 token without the rare characters)."""


class GatewayRef(ApiModel):
    """The GrpcGateway to attach to."""

    name: str = Field(default="default", min_length=1, max_length=54)
    """Name of the GrpcGateway."""
    namespace: str | None = Field(default=None, min_length=1, max_length=63)
    """Namespace of the GrpcGateway. When unset: the namespace of the GrpcService if it has a
    GrpcGateway of that name, otherwise the namespace of the operator."""


class Cors(ApiModel):
    """CORS policy: which web pages may call the service; only pages of the same origin when unset.
    The methods, request headers and response headers of gRPC-Web and REST are always allowed. The
    gateway answers preflight requests.
    """

    allow_origins: list[Origin] = Field(
        min_length=1, max_length=32, json_schema_extra=list_atomic()
    )
    """Allowed origins: `https://app.example.com`, `https://*.example.com`, or `*`."""
    allow_headers: list[HeaderName] | None = Field(
        default=None, max_length=32, json_schema_extra=list_atomic()
    )
    """More request headers to allow, besides those of gRPC-Web and REST."""
    expose_headers: list[HeaderName] | None = Field(
        default=None, max_length=32, json_schema_extra=list_atomic()
    )
    """More response headers that pages may read, besides those of gRPC."""
    allow_credentials: Literal["Allow", "Deny"] = "Deny"
    """Whether pages may send credentials, such as cookies."""
    max_age: Duration = "24h"
    """How long browsers may cache the response to a preflight request."""


class Timeouts(ApiModel):
    """Timeouts at the gateway. The deadline of a client (`grpc-timeout`) is honored."""

    request: Duration | None = None
    """Timeout of unary calls, and upper limit for the deadline of a client. When unset, unary calls
    without a deadline time out after 15s, and deadlines of clients are limited to 5m. With `0s`,
    only 1h without a message ends a call. Has no effect on streaming methods."""
    stream_idle: Duration | None = None
    """Time without a message in either direction after which a stream is closed; 1h when unset.
    `0s` disables it."""
    max_stream_duration: Duration | None = None
    """Maximum duration of a streaming call; unlimited when unset or `0s`."""


class Retry(ApiModel):
    """Retries at the gateway, within a retry budget of 20% of the calls in flight."""

    attempts: int | None = Field(default=None, ge=0, le=10)
    """Retries after the first attempt; 2 when unset. 0 disables retries."""
    codes: list[GrpcCode] | None = Field(
        default=None, max_length=8, json_schema_extra=list_atomic()
    )
    """gRPC status codes to retry. When unset: UNAVAILABLE, for methods that declare an
    `idempotency_level`. Calls that provably never reached a server (connection failures, refused
    streams) are retried for every method. Streaming methods are retried for no other reason."""
    per_try_timeout: Duration | None = None
    """Timeout of each attempt; none when unset."""


class MethodPolicy(ApiModel):
    """Settings for one method, or for all methods of a gRPC service. They take precedence over the
    settings of the gateway block.
    """

    service: ServiceFullName
    """Full name of the gRPC service, such as `user.v1.UserService`."""
    method: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$|^[*]$")
    """Name of the method, such as `GetUser`; `*` for all methods of the service."""
    timeouts: Timeouts | None = None
    """Timeouts of these methods. Unset fields come from `gateway.timeouts`."""
    retry: Retry | None = None
    """Retries of these methods. Unset fields come from `gateway.retry`."""
    rest: Literal["Enabled", "Disabled"] | None = None
    """`Disabled` serves none of the REST rules of these methods, and no longer names those that
    cannot be served; gRPC and gRPC-Web are not affected. `Enabled` makes an exception of a method
    where `*` has `Disabled`. All are enabled when unset."""


class PrintOptions(ApiModel):
    """How messages are printed as JSON."""

    whitespace: Literal["Compact", "Indented"] = "Compact"
    """Whether JSON is indented."""
    primitive_defaults: Literal["Omit", "Print"] = "Omit"
    """Whether fields with the default value of their type (0, "", false) are printed."""
    enums: Literal["Names", "Numbers"] = "Names"
    """Whether enum values are printed as names or as numbers."""
    field_names: Literal["JSON", "Proto"] = "JSON"
    """Whether field names are printed in lowerCamelCase or as in the proto file."""


class Rest(ApiModel):
    """REST/JSON, with routes from `rules` and the `google.api.http` options in the descriptor."""

    rules: list[HttpRule] | None = Field(
        default=None,
        max_length=limits.REST_RULES.value,
        json_schema_extra=list_map("selector"),
    )
    """REST rules of single methods, for protos without `google.api.http`: the `http.rules` of a
    gRPC API configuration, as grpc-gateway reads it. A rule replaces the option of its method. With
    `spec.rollout` or `spec.traffic`, other rules are another revision."""
    auto_mapping: Literal["Enabled", "Disabled"] = "Disabled"
    """`Enabled` also serves every method at `POST /package.Service/Method` with a JSON body."""
    prefixes: list[PathPrefix] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """Path prefixes that belong to this service alone, such as `/v1/users`. Paths below them that
    match no method are answered with 404 NOT_FOUND, and no other service can use them."""
    stream_format: Literal["Array", "NDJSON", "SSE"] = "Array"
    """Format of a response stream: one JSON array, one JSON object per line, or server-sent
    events."""
    print_options: PrintOptions = PrintOptions()
    unknown_query_parameters: Literal["Reject", "Ignore"] = "Reject"
    """Whether a query parameter that matches no field of the request message is rejected with 400
    INVALID_ARGUMENT, or ignored."""


class Gateway(ApiModel):
    """Attaches the service to a GrpcGateway, which serves it as gRPC, gRPC-Web and REST on one
    host. `{}` attaches it to the GrpcGateway named `default`.
    """

    gateway_ref: GatewayRef = GatewayRef()
    hostnames: list[AnyHostname] | None = Field(
        default=None,
        min_length=1,
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """Hosts of the service, such as `api.example.com`, `*.example.com`, or `*` for every host; only
    these. When unset: `NAME.NAMESPACE.DOMAIN`, with the `spec.domain` of the GrpcGateway. Hosts at
    or below `NAMESPACE.DOMAIN` are the namespace's own; all others must be granted to it in
    `spec.hostnames` of the GrpcGateway."""
    protocols: list[Literal["GRPC", "GRPCWeb", "REST"]] | None = Field(
        default=None,
        min_length=1,
        max_length=3,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """Protocols to serve; all when unset."""
    expose: list[Literal["Reflection", "Health"]] | None = Field(
        default=None, max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Infrastructure services of gRPC to serve at the gateway as well; none when unset."""
    cors: Cors | None = None
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    methods: list[MethodPolicy] | None = Field(
        default=None, max_length=64, json_schema_extra=list_map("service", "method")
    )
    """Settings for single methods, each of which must exist in the descriptor."""
    metadata_validation: Literal["Enabled", "Disabled"] = "Enabled"
    """Whether gRPC and gRPC-Web calls with malformed metadata end at the gateway: a `grpc-timeout`
    such as `10s`, headers that end in `-bin` and are not base64, an unknown `grpc-encoding`. All
    clients share the connections to a server, and one that is built on gRPC's core (C++, Python,
    PHP, Ruby, Objective-C) would fail the calls of others, too. `Disabled` saves CPU, and lets
    compression pass that is neither gzip nor deflate, for other servers."""
    rest: Rest = Rest()
    max_message_bytes: int = Field(default=4194304, ge=1024, le=67108864)
    """Maximum size of a JSON message in bytes. Larger requests are answered with 413, larger
    responses with 500. What a stream sends at once may be 64 KiB larger, and so may every response
    of a service that has one. More than 4 MiB must not exceed a 64th of the memory limit of the
    proxies: 16 MiB with the default of 1Gi, 64 MiB with 4Gi. gRPC and gRPC-Web messages are not
    buffered; the server limits them, so larger messages need gRPC."""

    @property
    def http_rules(self) -> tuple[HttpRule, ...]:
        """`rest.rules` as far as they matter: none where REST is not offered."""
        is_offered = self.protocols is None or "REST" in self.protocols
        return tuple(self.rest.rules or ()) if is_offered else ()


class DescriptorConfigMap(ApiModel):
    """Reads the FileDescriptorSet from a ConfigMap in the namespace of the GrpcService."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the ConfigMap."""
    key: str = Field(default="descriptor.pb", min_length=1, max_length=253)
    """Key in the `binaryData` of the ConfigMap."""


class Reflection(ApiModel):
    """Reads the FileDescriptorSet from a ready pod by gRPC server reflection
    (grpc.reflection.v1, else v1alpha), once for each revision of the pod template.
    """


class Descriptor(ApiModel):
    """Source of the FileDescriptorSet that the routes of the gateway are built from; server
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
    config_map: DescriptorConfigMap | None = None
    inline: str | None = Field(default=None, min_length=1, max_length=350000)
    """The FileDescriptorSet in base64, as printed by
    `protoc --include_imports --descriptor_set_out=/dev/stdout FILE.proto | base64 -w0`."""
