"""The cells of the matrix: a victim, an attacker who wants its calls, and who may answer them.

Nothing here comes from the code under test: who may answer follows from the grants, and from who
was there first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

GATEWAY = "infra"
"""Namespace of the gateway."""
DOMAIN = "grpc.internal"
OWN_NAME = "default-envoy.infra.svc.cluster.local"
GRANTS = {
    "*.one.example.com": {"one"},
    "*.shared.example.com": {"one", "two"},
    "*": {"two"},
}


@dataclass(frozen=True)
class Kind:
    """How the attacker tries to get at the victim's host; ``{n}`` is the cell's number.

    Attributes:
        victim: Namespace of the victim.
        host: The victim's host; its default host when empty.
        claims: The host that the attacker claims, of the victim's host ``{host}``.
        shared: Whether both namespaces may have the host: then the first one has it.
        refused: Whether the attacker gets nothing, even when it is first.
    """

    name: str
    victim: str
    host: str
    claims: str
    shared: bool = False
    refused: bool = True


_ONE = "c{n}.one.example.com"
KINDS = (
    Kind("exact", "one", _ONE, "{host}"),
    Kind("wildcard", "one", f"api.{_ONE}", f"*.{_ONE}"),
    Kind("wildcard above the grant", "one", _ONE, "*.example.com", refused=False),
    Kind("default", "one", "", "{host}"),
    Kind("every host", "one", _ONE, "*", refused=False),
    Kind("every host, without a grant", GATEWAY, "c{n}.example.org", "*", shared=True),
    Kind("the gateway's own name", GATEWAY, OWN_NAME, "{host}"),
    Kind("trailing dot", "one", _ONE, "{host}."),
    Kind("case", "one", _ONE, "{HOST}"),
    Kind("port", "one", _ONE, "{host}:80"),
    Kind("exact, shared", "one", "c{n}.shared.example.com", "{host}", shared=True),
    Kind(
        "wildcard, shared",
        "one",
        "api.c{n}.shared.example.com",
        "*.c{n}.shared.example.com",
        shared=True,
    ),
)

ORDERS = ("older", "younger", "edited later")
"""When the attacker claims; one that is edited later is the older object."""


@dataclass(frozen=True)
class Api:
    """What a service serves: a gRPC service, one REST path, and perhaps a prefix."""

    service: str
    verb: str
    path: str
    prefix: str = ""

    def claims(self, call: "Call") -> bool:
        """Returns whether a call is for it."""
        if call.service:
            return call.service == self.service
        below = bool(self.prefix) and f"{call.path}/".startswith(f"{self.prefix}/")
        return below or (call.verb, call.path) == (self.verb, self.path.replace("{id}", "1"))


@dataclass(frozen=True)
class Call:
    """A call: of a gRPC service, or of a REST path."""

    service: str = ""
    verb: str = ""
    path: str = ""


_RELATIONS = {
    "gRPC service": Api("c{n}.S", "GET", "/of-two-{n}/items/{id}"),
    "equal path": Api("c{n}.T", "GET", "/c{n}/items/{id}"),
    "path above": Api("c{n}.T", "GET", "/c{n}/items"),
    "path below": Api("c{n}.T", "GET", "/c{n}/items/{id}/sub"),
    "other verb": Api("c{n}.T", "DELETE", "/c{n}/items/{id}"),
    "prefix": Api("c{n}.T", "POST", "/c{n}/more", "/c{n}"),
}
"""What the attacker serves, beside a victim with ``c{n}.S`` and ``GET /c{n}/items/{id}``."""

_OVERLAPPING = ("gRPC service", "equal path", "other verb", "prefix")
"""Those that conflict with the victim on a host that both have."""


@dataclass(frozen=True)
class Cell:
    """One victim and one attacker."""

    number: int
    kind: Kind
    relation: str
    order: str

    @property
    def victim(self) -> str:
        """Name of the victim."""
        return f"victim-{self.number}"

    @property
    def attacker(self) -> str:
        """Name of the attacker, whose namespace is ``two``."""
        return f"attacker-{self.number}"

    @property
    def host(self) -> str:
        """The victim's host."""
        return self._text(self.kind.host) or f"{self.victim}.{self.kind.victim}.{DOMAIN}"

    @property
    def claimed(self) -> str:
        """The host that the attacker claims."""
        return (
            self._text(self.kind.claims)
            .replace("{host}", self.host)
            .replace("{HOST}", self.host.upper())
        )

    @property
    def spellings(self) -> tuple[str, ...]:
        """The victim's host in other words."""
        return f"{self.host}.", self.host.upper(), f"{self.host}:8080", f"{self.host}.:8080"

    @property
    def served(self) -> Api:
        """What the victim serves."""
        return self._api(Api("c{n}.S", "GET", "/c{n}/items/{id}"))

    @property
    def wanted(self) -> Api:
        """What the attacker serves."""
        return self._api(_RELATIONS[self.relation])

    def calls(self) -> Iterator[Call]:
        """Yields calls that the attacker could want."""
        yield from (Call(service=self._text(f"c{{n}}.{name}")) for name in "ST")
        root = self._text("/c{n}/items")
        yield from (Call(verb="GET", path=f"{root}{rest}") for rest in ("", "/1", "/1/sub"))
        yield Call(verb="DELETE", path=f"{root}/1")
        yield Call(verb="POST", path=self._text("/c{n}/more"))

    def may_answer(self, call: Call) -> str:
        """Returns the only namespace that may answer a call on the victim's host."""
        if not self.kind.shared:
            return self.kind.victim
        sides = [("two", self.wanted), (self.kind.victim, self.served)]
        if self.order != "older":
            sides.reverse()
        if self.claimed != self.host:
            return sides[0][0]  # a host inside of the other one's is refused, or its own
        return next((name for name, api in sides if api.claims(call)), sides[0][0])

    def answers(self) -> bool:
        """Returns whether the victim has to answer its own calls."""
        return not self.kind.shared or self.order != "older"

    def is_refused(self) -> bool:
        """Returns whether the attacker has to be refused."""
        if not self.kind.shared:
            return self.kind.refused
        same = self.claimed == self.host and self.relation in _OVERLAPPING
        return same and self.order != "older"

    def _text(self, text: str) -> str:
        return text.replace("{n}", str(self.number))

    def _api(self, api: Api) -> Api:
        return Api(*(self._text(each) for each in (api.service, api.verb, api.path, api.prefix)))


def cells() -> Sequence[Cell]:
    """Returns every cell."""
    return [
        Cell(number, kind, relation, order)
        for number, (kind, relation, order) in enumerate(product(KINDS, _RELATIONS, ORDERS))
    ]
