"""Which attachments of a gateway fit its proxies: each alone, those of a namespace, and all.

What is served already goes before what is new, and of each the older service: so neither a large
object nor many small ones end what others are served by. What does not fit is served as it was
last accepted, or only holds its hosts; of what was refused, only figures are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.budget_accounts import Accounts, Limits, Priced, Refused, Wanted
from grpc_operator.gateway.ir import Attachment, GatewayIr, Listener
from grpc_operator.resources import Key


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
        self._terms: tuple[GatewayIr, Limits] | None = None
        self._listeners: tuple[Listener, ...] = ()
        self._accounts: Accounts
        self._wanted: dict[Key, Wanted] = {}
        self._kept: dict[Key, Priced] = {}
        self._refused: dict[Key, InvalidSpecError] = {}

    def admit(self, gateway: GatewayIr, most: Limits, wanted: Iterable[Wanted]) -> Admitted:
        """Returns what fits of all attachments.

        Args:
            gateway: The gateway.
            most: Its limits.
            wanted: All its attachments, in any order, each key once; ``Refused`` of those that
                were refused and have not changed.
        """
        every = {each.key: each for each in wanted}
        return self.update(gateway, most, {**dict.fromkeys(self._wanted), **every})

    def update(
        self, gateway: GatewayIr, most: Limits, changed: Mapping[Key, Wanted | None]
    ) -> Admitted:
        """Returns what fits of the attachments that changed, and of what did not fit before.

        Args:
            gateway: The gateway.
            most: Its limits.
            changed: What may be others than before; ``None``: they are gone.
        """
        terms, self._terms = self._terms, None  # after an error, everything is added up again
        keys = {*changed, *self._refused}
        if terms != (gateway, most):
            keys |= self._wanted.keys()
            self._begin(gateway, most)
        for key, each in changed.items():
            if each is not None:
                self._wanted[key] = each
            elif self._wanted.pop(key, None) is not None and key in self._kept:
                self._accounts.remove(self._kept.pop(key))
        by_age = sorted(
            (self._wanted[key] for key in keys & self._wanted.keys()),
            key=lambda each: (each.created, each.key),
        )
        refused, again = self._admit(by_age)
        admitted = self._admitted(by_age, refused, again)
        self._terms, self._refused = (gateway, most), refused
        return admitted

    def _begin(self, gateway: GatewayIr, most: Limits) -> None:
        """Adds up what was admitted before, as far as it still fits."""
        is_same = gateway.listeners == self._listeners
        self._listeners, self._accounts = gateway.listeners, Accounts(gateway, most)
        before, self._kept = self._kept, {}
        for each in sorted(before.values(), key=lambda each: (each.attachment.created, each.key)):
            priced = each if is_same else Priced(each.attachment, self._listeners)
            if self._accounts.add(priced) is None:
                self._kept[each.key] = priced

    def _admit(self, by_age: Iterable[Wanted]) -> tuple[dict[Key, InvalidSpecError], set[Key]]:
        """Admits what fits; returns what does not, and what is to be attached again."""
        refused: dict[Key, InvalidSpecError] = {}
        again: set[Key] = set()
        for each in by_age:
            last = self._kept.get(each.key)
            if last is not None and last.attachment == each:
                continue
            if isinstance(each, Refused) and each.listeners != self._listeners:
                again.add(each.key)
                continue
            if last is not None:
                self._accounts.remove(last)
            priced = each if isinstance(each, Refused) else Priced(each, self._listeners)
            text = self._accounts.add(priced)
            if text is not None:
                refused[each.key] = self._error(each.key, text)
                if last is not None:
                    self._accounts.add(last)
            elif isinstance(priced, Refused):  # its memory is reserved until it is attached again
                again.add(each.key)
            else:
                self._kept[each.key] = priced
        return refused, again

    def _admitted(
        self, wanted: Sequence[Wanted], refused: dict[Key, InvalidSpecError], again: set[Key]
    ) -> Admitted:
        new: dict[Key, Refused] = {}
        attachments: dict[Key, Attachment] = {}
        for each in wanted:
            if each.key in again and isinstance(each, Refused):
                refused[each.key] = self._refused.get(each.key, each.error)
            elif each.key in refused and not isinstance(each, Refused):
                made = Priced(each, self._listeners).refused(refused[each.key])
                self._wanted[each.key] = new[each.key] = made
            kept, held = self._kept.get(each.key), self._wanted[each.key]
            if kept is not None:
                attachments[each.key] = kept.attachment
            elif isinstance(held, Refused):
                attachments[each.key] = held.held
        return Admitted(attachments, refused, new, frozenset(again))

    def _error(self, key: Key, text: str) -> InvalidSpecError:
        """Returns the error; the same one as long as nothing changes, and with it the state."""
        problem, known = Problem("spec.gateway", text), self._refused.get(key)
        if known is not None and known.problems == (problem,):
            return known
        return InvalidSpecError([problem], reason=Reason.BUDGET_EXCEEDED)
