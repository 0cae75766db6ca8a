"""The fields of ``spec.gateway.rest.rules``: those of ``google.api.HttpRule``.

As in the gRPC API configuration of grpc-gateway (``http.rules``), for protos without annotations.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from grpc_operator import limits
from grpc_operator.api.base import ApiModel, list_atomic, rule, rules

PathTemplate = Annotated[
    str,
    Field(
        max_length=limits.DESCRIPTOR_TEMPLATE.value,
        json_schema_extra=rules(
            rule("self.startsWith('/')", "must begin with /, such as /v1/users/{id}")
        ),
    ),
]
"""A path template of ``google.api.http``."""

BodyField = Annotated[str, Field(max_length=255, pattern=r"^([*]|[A-Za-z_][A-Za-z0-9_]*)$")]
"""``*``, or the name of a field."""

MethodFullName = Annotated[
    str,
    Field(
        max_length=509,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)+$",
    ),
]
"""Full name of a method, such as ``user.v1.UserService.GetUser``."""

PATTERNS = ("get", "put", "post", "delete", "patch", "custom")
"""The fields of which each rule has exactly one."""

_ONE_PATTERN = rule(
    f"[{', '.join(f'has(self.{name})' for name in PATTERNS)}].filter(x, x).size() == 1",
    "set exactly one of get, put, post, delete, patch and custom",
)


class CustomPattern(ApiModel):
    """A path for another HTTP method."""

    kind: str = Field(max_length=32, pattern=r"^([A-Z][-A-Z0-9_]*|[*])$")
    """HTTP method in upper case, or `*` for all."""
    path: PathTemplate
    """Path template."""


class HttpBinding(ApiModel):
    """HTTP method and path of a gRPC method: `google.api.HttpRule` without its selector."""

    model_config = ConfigDict(json_schema_extra=rules(_ONE_PATTERN))

    get: PathTemplate | None = None
    """Path template for GET, such as `/v1/users/{id}`: `{id}` is a field of the request message,
    and the fields that neither path nor body have are query parameters."""
    put: PathTemplate | None = None
    """Path template for PUT."""
    post: PathTemplate | None = None
    """Path template for POST."""
    delete: PathTemplate | None = None
    """Path template for DELETE."""
    patch: PathTemplate | None = None
    """Path template for PATCH."""
    custom: CustomPattern | None = None
    """Path template for another HTTP method, or for all."""
    body: BodyField | None = None
    """Field of the request message that the body of the HTTP request is; `*` for all fields that
    the path does not have. Without it, a request has no body."""
    response_body: BodyField | None = None
    """Field of the response message that the body of the HTTP response is; all of the message when
    unset. Only fields of type `google.api.HttpBody`."""


class HttpRule(HttpBinding):
    """How a gRPC method is served by REST: `google.api.HttpRule`."""

    selector: MethodFullName
    """Full name of the method, such as `user.v1.UserService.GetUser`."""
    additional_bindings: list[HttpBinding] | None = Field(
        default=None,
        max_length=limits.DESCRIPTOR_BINDINGS.value - 1,
        json_schema_extra=list_atomic(),
    )
    """More HTTP methods and paths for the same gRPC method."""
