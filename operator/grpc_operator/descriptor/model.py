"""What the gateway uses of a FileDescriptorSet."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["Unary", "ClientStreaming", "ServerStreaming", "Bidirectional"]


@dataclass(frozen=True)
class Binding:
    """One HTTP binding of a method (``google.api.HttpRule``, additional bindings flattened).

    Attributes:
        verb: HTTP method in upper case; ``*`` for all (``google.api.CustomHttpPattern``).
        template: The path template as written, such as ``/v1/{name=shelves/*}:move``.
        segments: The template without variables: literals, ``*`` and ``**``, such as
            ``("v1", "shelves", "*")``.
        custom_verb: What follows the last ``:``, without it; empty when there is none.
        variables: Field paths bound by the path.
        body: ``*``, a field name, or empty.
        response_body: A field name, or empty.
        raw_body: Whether the body is a ``google.api.HttpBody``, and so of any content type.
    """

    verb: str
    template: str
    segments: tuple[str, ...]
    custom_verb: str = ""
    variables: tuple[str, ...] = ()
    body: str = ""
    response_body: str = ""
    raw_body: bool = False


@dataclass(frozen=True)
class RefusedRule:
    """A REST rule of a method that is not served; everything else of the method is.

    Attributes:
        rule: HTTP method and path template, such as ``GET /v1/{id}``. Bounded and printable.
        reason: Why not, and how to fix it. Bounded and printable.
        field: Where it is in the spec, such as ``spec.gateway.rest.rules[2]``; empty for an
            annotation.
    """

    rule: str
    reason: str
    field: str = ""


@dataclass(frozen=True)
class Sample:
    """A request with what has to be set, for an example command.

    Attributes:
        text: JSON.
        wire: The same, serialised.
    """

    text: str = "{}"
    wire: bytes = b""


@dataclass(frozen=True)
class Method:
    """One method of a gRPC service.

    Attributes:
        idempotent: Whether ``idempotency_level`` is NO_SIDE_EFFECTS or IDEMPOTENT.
        bindings: From ``google.api.http``; empty when it has none, or when the set was loaded
            without REST.
        raw_request: Whether the request itself is a ``google.api.HttpBody``.
        refused: The rules of ``google.api.http`` that are not among the bindings.
        group: Full name of a group in the request, if the set was loaded for REST and it has one:
            then it cannot be the body.
        read_only: Whether ``idempotency_level`` is NO_SIDE_EFFECTS.
        sample: A request.
    """

    name: str
    kind: Kind
    idempotent: bool = False
    bindings: tuple[Binding, ...] = ()
    raw_request: bool = False
    refused: tuple[RefusedRule, ...] = ()
    group: str = ""
    read_only: bool = False
    sample: Sample = field(default=Sample(), compare=False, repr=False)


@dataclass(frozen=True)
class Service:
    """One gRPC service.

    Attributes:
        name: Full name, such as ``user.v1.UserService``.
    """

    name: str
    methods: tuple[Method, ...]


@dataclass(frozen=True)
class Summary:
    """What remains to be said of a descriptor without having it.

    Attributes:
        sha256: Hex digest of the serialised set.
        size: Its bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True)
class Descriptor:
    """A checked FileDescriptorSet, pruned to the exposed services.

    Attributes:
        data: The serialised set: the transitive closure of the services, and of the standard error
            details when loaded for REST, in dependency order, without source info.
        sha256: Hex digest of ``data``.
        services: Sorted by name.
        has_reserved: Whether ``data`` reserves names or numbers.
    """

    data: bytes
    sha256: str
    services: tuple[Service, ...]
    has_reserved: bool = False

    @cached_property
    def summary(self) -> Summary:
        """What its status says of it."""
        return Summary(self.sha256, len(self.data))
