"""What the gateway uses of a FileDescriptorSet."""

from dataclasses import dataclass
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
    """

    verb: str
    template: str
    segments: tuple[str, ...]
    custom_verb: str = ""
    variables: tuple[str, ...] = ()
    body: str = ""
    response_body: str = ""


@dataclass(frozen=True)
class Method:
    """One method of a gRPC service.

    Attributes:
        idempotent: Whether ``idempotency_level`` is NO_SIDE_EFFECTS or IDEMPOTENT.
        bindings: From ``google.api.http``; empty when it has none, or when the set was loaded
            without REST.
    """

    name: str
    kind: Kind
    idempotent: bool = False
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True)
class Service:
    """One gRPC service.

    Attributes:
        name: Full name, such as ``user.v1.UserService``.
    """

    name: str
    methods: tuple[Method, ...]


@dataclass(frozen=True)
class Descriptor:
    """A checked FileDescriptorSet, pruned to the exposed services.

    Attributes:
        data: The serialised set: the transitive closure of the services, and of the standard error
            details when loaded for REST, in dependency order, without source info.
        sha256: Hex digest of ``data``.
        services: Sorted by name.
    """

    data: bytes
    sha256: str
    services: tuple[Service, ...]
