"""The memory that attachments need in a proxy, against what one, a namespace and all may have."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from grpc_operator import limits
from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.api.gateway import Gateway
from grpc_operator.desired.common.quantity import ceiling
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import cost
from grpc_operator.gateway.cost import Cost, Places
from grpc_operator.gateway.ir import Attachment, GatewayIr, Listener
from grpc_operator.resources import Key

_MOST_NAMED = 3
_MIB = 1024 * 1024

_SHARE = 4
"""Part of a proxy's memory that configuration may need: half of it is left to calls, and Envoy
itself and what a change needs take the rest."""

_MESSAGE_SHARE = 64
"""Part of a proxy's memory that one JSON message may be. It takes 7 times its size while it is
transcoded (docs/adr/0023), and several are at the same time."""

_SMALLER = (
    "Use fewer hosts in spec.gateway.hostnames, fewer gRPC services in spec.services or fewer"
    " protocols"
)


@dataclass(frozen=True)
class Limits:
    """How much memory the configuration of services may need in each proxy, in bytes.

    Attributes:
        service: Of one GrpcService.
        namespace: Of all GrpcServices of a namespace.
        total: Of all GrpcServices.
        message: Largest JSON message, in bytes.
    """

    service: int
    namespace: int
    total: int
    message: int = limits.JSON_MESSAGE.value

    @classmethod
    def of(cls, spec: GrpcGatewaySpec) -> "Limits":
        """Returns those of a gateway."""
        resources = (spec.resources.limits if spec.resources is not None else None) or {}
        memory = ceiling(resources.get("memory"))
        total = ceiling(spec.budget.total) or (
            memory // _SHARE if memory is not None else limits.GATEWAY_MEMORY.value
        )
        namespace = total * limits.NAMESPACE_MEMORY.value // 100
        return cls(
            service=ceiling(spec.budget.service) or limits.SERVICE_MEMORY.value,
            namespace=ceiling(spec.budget.namespace) or namespace,
            total=total,
            message=_largest_message(memory),
        )


def _largest_message(memory: int | None) -> int:
    """Returns the limit of a JSON message; the default one of the API is always possible."""
    if memory is None:
        return limits.JSON_MESSAGE.value
    return max(memory // _MESSAGE_SHARE, Gateway().max_message_bytes)


@dataclass(frozen=True)
class Refused:
    """What is kept of an attachment that was refused: enough to decide whether it fits by now.

    Attributes:
        key: The GrpcService.
        created: As of the attachment.
        held: The attachment without anything but its hosts.
        listeners: Those of the gateway by which the memory was computed.
        memory: Bytes that it needs in every proxy.
        message: Bytes that a JSON message may have.
        parts: What it is made of, with its largest gRPC services.
        error: Why it was refused first.
    """

    key: Key
    created: str
    held: Attachment
    listeners: tuple[Listener, ...]
    memory: int
    message: int
    parts: str
    error: InvalidSpecError = field(compare=False)


Wanted = Attachment | Refused


@dataclass(frozen=True, eq=False)
class Priced:
    """An attachment with its cost, of which everything is computed once."""

    attachment: Attachment
    listeners: tuple[Listener, ...]

    @property
    def key(self) -> Key:
        """The GrpcService."""
        return self.attachment.key

    def refused(self, error: InvalidSpecError) -> Refused:
        """Returns what is kept of it."""
        attachment = self.attachment
        return Refused(
            key=attachment.key,
            created=attachment.created,
            held=attachment.held(),
            listeners=self.listeners,
            memory=self.memory,
            message=self.message,
            parts=self.parts,
            error=error,
        )

    @cached_property
    def cost(self) -> Cost:
        """What is built of it, at most."""
        return cost.of(self.listeners, self.attachment)

    @cached_property
    def memory(self) -> int:
        """Bytes that it needs in every proxy."""
        return self.cost.memory

    @property
    def message(self) -> int:
        """Bytes that a JSON message may have."""
        return self.attachment.rest.max_bytes if self.attachment.rest is not None else 0

    @cached_property
    def parts(self) -> str:
        """What it is made of, with its largest gRPC services."""
        attachment, needed = self.attachment, self.cost
        places = Places.of(self.listeners, attachment)
        largest = _largest(_of_apis(attachment, places))
        return (
            f"{needed.routes} routes, {needed.tables} route tables and a descriptor of"
            f" {needed.descriptor} bytes, for {len(attachment.hostnames)} hosts at"
            f" {places.listeners} listeners. Largest: {largest}"
        )


class Accounts:
    """Sums of memory in bytes: of all attachments, and by namespace."""

    def __init__(self, gateway: GatewayIr, most: Limits) -> None:
        self._gateway = f"GrpcGateway {gateway.key.namespaced_name}"
        self._most = most
        self._total = 0
        self._namespaces: Counter[str] = Counter()
        self._services: dict[str, dict[str, int]] = defaultdict(dict)

    def add(self, priced: Priced | Refused) -> str | None:
        """Adds an attachment, or returns why it does not fit."""
        most, key, memory = self._most, priced.key, priced.memory
        if priced.message > most.message:
            return self._message_too_large(priced.message)
        if memory > most.service:
            return self._too_large(priced)
        if self._namespaces[key.namespace] + memory > most.namespace:
            return self._namespace_full(key.namespace, memory)
        if self._total + memory > most.total:
            return self._gateway_full(memory)
        self._total += memory
        self._namespaces[key.namespace] += memory
        self._services[key.namespace][key.name] = memory
        return None

    def remove(self, priced: Priced) -> None:
        """Removes an attachment that was added."""
        key = priced.key
        self._total -= priced.memory
        self._namespaces[key.namespace] -= priced.memory
        del self._services[key.namespace][key.name]

    def _too_large(self, priced: Priced | Refused) -> str:
        return (
            f"needs {_mib(priced.memory)} of memory in each proxy, at most"
            f" {_mib(self._most.service)} per GrpcService: {priced.parts}. {_SMALLER};"
            f" or raise spec.budget.service of {self._gateway}"
        )

    def _message_too_large(self, message: int) -> str:
        return (
            f"maxMessageBytes is {_mib(message)}, at most {_mib(self._most.message)} with the"
            " memory of the proxies. Use a smaller one, send large messages by gRPC, or raise"
            f" spec.resources.limits.memory of {self._gateway} to"
            f" {_mib(message * _MESSAGE_SHARE)}"
        )

    def _namespace_full(self, namespace: str, memory: int) -> str:
        return (
            f"needs {_mib(memory)} of memory in each proxy, and the other GrpcServices of"
            f" namespace {namespace} at {self._gateway} need {_mib(self._namespaces[namespace])};"
            f" together at most {_mib(self._most.namespace)}. Largest of the others:"
            f" {_largest(self._services[namespace].items())}. {_SMALLER}, here or there; or raise"
            " spec.resources.limits.memory or spec.budget.namespace of the GrpcGateway"
        )

    def _gateway_full(self, memory: int) -> str:
        return (
            f"needs {_mib(memory)} of memory in each proxy, and the other GrpcServices at"
            f" {self._gateway} need {_mib(self._total)}; together at most"
            f" {_mib(self._most.total)}. Attach to another GrpcGateway, or raise"
            " spec.resources.limits.memory or spec.budget.total of this one"
        )


def _of_apis(attachment: Attachment, places: Places) -> Iterator[tuple[str, int]]:
    """Yields each gRPC service with its methods and paths, and the memory that it needs."""
    for api in attachment.apis:
        paths = sum(len(method.bindings) for method in api.methods)
        name = f"{api.name} ({len(api.methods)} methods, {paths} REST paths)"
        yield name, cost.of_api(attachment, api, places).memory


def _largest(of: Iterable[tuple[str, int]]) -> str:
    found = heapq.nsmallest(_MOST_NAMED, of, key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{name} {_mib(memory)}" for name, memory in found) or "none"


def _mib(memory: int) -> str:
    return f"{memory / _MIB:.1f} MiB"
