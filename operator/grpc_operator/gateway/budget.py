"""Which attachments of a gateway fit its proxies: each alone, those of a namespace, and all.

What is served already goes before what is new, and of each the older service: so neither a large
object nor many small ones end what others are served by. What does not fit is served as it was
last accepted, or only holds its hosts; of what was refused, only figures are kept.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

from grpc_operator import limits
from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.api.gateway import Gateway
from grpc_operator.api.reasons import Reason
from grpc_operator.desired.common.quantity import ceiling
from grpc_operator.errors import InvalidSpecError, Problem
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


@dataclass(frozen=True)
class Admitted:
    """What is built.

    Attributes:
        attachments: Those that were asked for, or what they are replaced by.
        refused: Why an attachment is replaced by its last accepted one, or by none.
        new: What is to be kept of the attachments among these that were refused just now.
        again: What was refused before and has to be attached again: it fits by now, or the
            listeners are others.
    """

    attachments: Mapping[Key, Attachment]
    refused: Mapping[Key, InvalidSpecError]
    new: Mapping[Key, Refused]
    again: frozenset[Key]


class Budget:
    """Admits the attachments of one gateway; remembers what it admitted last."""

    def __init__(self) -> None:
        """Begins with nothing admitted."""
        self._listeners: tuple[Listener, ...] = ()
        self._priced: dict[int, _Priced] = {}
        self._before: dict[int, _Priced] = {}
        self._accepted: dict[Key, Attachment] = {}
        self._refused: dict[Key, InvalidSpecError] = {}

    def admit(self, gateway: GatewayIr, most: Limits, wanted: Iterable[Wanted]) -> Admitted:
        """Returns what fits.

        Args:
            gateway: The gateway.
            most: Its limits.
            wanted: All its attachments, in any order, each key once; ``Refused`` of those that
                were refused and have not changed.
        """
        by_age = sorted(wanted, key=lambda each: (each.created, each.key))
        self._before, self._priced = self._priced, {}
        if gateway.listeners != self._listeners:
            self._listeners, self._before = gateway.listeners, {}
        accounts = _Accounts(gateway, most)
        before = [self._accepted[each.key] for each in by_age if each.key in self._accepted]
        kept = {each.key: each for each in before if accounts.add(self._price(each)) is None}
        refused: dict[Key, InvalidSpecError] = {}
        again: set[Key] = set()
        for each in by_age:
            last = kept.get(each.key)
            if last == each:
                continue
            if isinstance(each, Refused) and each.listeners != self._listeners:
                again.add(each.key)
                continue
            if last is not None:
                accounts.remove(self._price(last))
            text = accounts.add(self._price(each))
            if text is not None:
                refused[each.key] = self._error(each.key, text)
                if last is not None:
                    accounts.add(self._price(last))
            elif isinstance(each, Refused):  # its memory is reserved until it is attached again
                again.add(each.key)
            else:
                kept[each.key] = each
        return self._admitted(by_age, kept, refused, again)

    def _admitted(
        self,
        wanted: Sequence[Wanted],
        kept: dict[Key, Attachment],
        refused: dict[Key, InvalidSpecError],
        again: set[Key],
    ) -> Admitted:
        new: dict[Key, Refused] = {}
        held: dict[Key, Attachment] = {}
        for each in wanted:
            if isinstance(each, Refused):
                held[each.key] = each.held
                if each.key in again:
                    refused[each.key] = self._refused.get(each.key, each.error)
            elif each.key in refused:
                new[each.key] = self._price(each).refused(refused[each.key])
                held[each.key] = new[each.key].held
        served = {id(each) for each in kept.values()}
        self._priced = {key: priced for key, priced in self._priced.items() if key in served}
        self._before, self._accepted, self._refused = {}, kept, refused
        attachments = {each.key: kept.get(each.key) or held[each.key] for each in wanted}
        return Admitted(attachments, refused, new, frozenset(again))

    def _error(self, key: Key, text: str) -> InvalidSpecError:
        """Returns the error; the same one as long as nothing changes, and with it the state."""
        problem, known = Problem("spec.gateway", text), self._refused.get(key)
        if known is not None and known.problems == (problem,):
            return known
        return InvalidSpecError([problem], reason=Reason.BUDGET_EXCEEDED)

    @overload
    def _price(self, attachment: Attachment) -> "_Priced": ...

    @overload
    def _price(self, attachment: Wanted) -> "_Priced | Refused": ...

    def _price(self, attachment: Wanted) -> "_Priced | Refused":
        """Returns the cost, computed once for as long as an attachment is asked for."""
        if isinstance(attachment, Refused):
            return attachment
        known = self._priced.get(id(attachment)) or self._before.get(id(attachment))
        if known is None or known.attachment is not attachment:
            known = _Priced(attachment, self._listeners)
        self._priced[id(attachment)] = known
        return known


@dataclass(frozen=True, eq=False)
class _Priced:
    """An attachment with its cost, of which everything is computed once."""

    attachment: Attachment
    listeners: tuple[Listener, ...]

    @property
    def key(self) -> Key:
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
        return cost.of(self.listeners, self.attachment)

    @cached_property
    def memory(self) -> int:
        return self.cost.memory

    @property
    def message(self) -> int:
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


class _Accounts:
    """Sums of memory in bytes: of all attachments, and by namespace."""

    def __init__(self, gateway: GatewayIr, most: Limits) -> None:
        self._gateway = f"GrpcGateway {gateway.key.namespaced_name}"
        self._most = most
        self._total = 0
        self._namespaces: Counter[str] = Counter()
        self._services: dict[str, dict[str, int]] = defaultdict(dict)

    def add(self, priced: _Priced | Refused) -> str | None:
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

    def remove(self, priced: _Priced) -> None:
        """Removes an attachment that was added."""
        key = priced.key
        self._total -= priced.memory
        self._namespaces[key.namespace] -= priced.memory
        del self._services[key.namespace][key.name]

    def _too_large(self, priced: _Priced | Refused) -> str:
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
