"""The part of the intermediate representation that is about methods; ``ir`` has all of it."""

from dataclasses import dataclass, field
from functools import cached_property

from grpc_operator.descriptor.model import Binding, Kind, RefusedRule, Sample
from grpc_operator.gateway import patterns
from grpc_operator.gateway.patterns import Pattern


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
        ends_at_deadline: Whether the gateway, too, ends a call when the client's deadline has
            passed. Client and server do in any case.
    """

    timeout: float | None
    longest_deadline: float | None
    idle_timeout: float | None
    retries: Retries | None
    ends_at_deadline: bool = True


@dataclass(frozen=True)
class Method:
    """One method of an attached service, with its effective policy.

    Attributes:
        bindings: Its REST bindings.
        refused: REST rules that are not served; no configuration depends on them.
        read_only: Whether it is declared to have no side effects: may be mirrored.
        sample: A request, only for example commands.
    """

    name: str
    kind: Kind
    policy: Policy
    bindings: tuple[Binding, ...] = ()
    refused: tuple[RefusedRule, ...] = ()
    read_only: bool = False
    sample: Sample = field(default=Sample(), compare=False, repr=False)


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
        return patterns.in_order({Pattern.of(binding) for binding in bindings})
