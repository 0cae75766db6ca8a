"""What clients may ask of a GrpcGateway, under the names of Envoy Gateway's ClientTrafficPolicy."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, rule, rules
from grpc_operator.api.types import Duration


class ConnectionLimit(ApiModel):
    """Limit of the client connections of each listener of a proxy."""

    value: int = Field(default=10000, ge=1, le=50000)
    """Client connections of one listener of one proxy. Further ones are closed at once."""


class Connection(ApiModel):
    """Client connections."""

    connection_limit: ConnectionLimit = ConnectionLimit()


class Http2(ApiModel):
    """HTTP/2 with clients."""

    max_concurrent_streams: int = Field(default=100, ge=1, le=10000)
    """Calls at a time on one connection of a client, which waits with further ones or opens another
    connection. Raise it where a proxy in front of the gateway has the calls of many clients on one
    connection."""


class Headers(ApiModel):
    """Request headers, which are the metadata of gRPC."""

    with_underscores_action: Literal["RejectRequest", "DropHeader", "Allow"] = "RejectRequest"
    """What happens to a header with an underscore in its name. To some servers it is the same as
    one with a dash: an attacker could send `user_id` where a proxy in front sets `user-id`.
    `RejectRequest` answers HTTP/1.1 with 400 and ends an HTTP/2 call with RST_STREAM, `DropHeader`
    removes the header, `Allow` passes it on."""


class Path(ApiModel):
    """Paths of requests."""

    escaped_slashes_action: Literal[
        "KeepUnchanged", "RejectRequest", "UnescapeAndForward", "UnescapeAndRedirect"
    ] = "KeepUnchanged"
    """What happens to escaped slashes (`%2F`, `%5C`) in the path of a REST request. `KeepUnchanged`
    has them in the value of a path variable, as google/api/http.proto says; `RejectRequest` answers
    400; `UnescapeAndForward` and `UnescapeAndRedirect` make slashes of them. In paths of gRPC they
    are always rejected."""


class HttpTimeout(ApiModel):
    """Timeouts of HTTP/1.1 and HTTP/2 connections."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.idleTimeout)"
                " || !self.idleTimeout.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')"
                " || (duration(self.idleTimeout) >= duration('1s')"
                " && duration(self.idleTimeout) <= duration('1h'))",
                "must be from 1s to 1h",
                field=".idleTimeout",
            )
        )
    )

    idle_timeout: Duration = "5m"
    """Time without a call after which the connection of a client is closed, from `1s` to `1h`;
    HTTP/2 clients get GOAWAY before. Make it longer than that of a load balancer in front of the
    gateway, so that none sends a request on a connection that is being closed. An HTTP/1.1 client
    whose request a proxy drops for lack of memory gets no response, and waits until then."""


class Timeout(ApiModel):
    """Timeouts of clients' connections."""

    http: HttpTimeout = HttpTimeout()
