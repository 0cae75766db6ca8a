"""Since when a GrpcService has what it has: ``status.claims``, which outlives a restart.

A GrpcService claims every item (gRPC service, REST path, prefix) on every host, so the age of a
claim is that of the younger of its host and its item. Items are kept as hashes: a status has to
stay small, and nobody may find another text with the same hash.
"""

import hashlib
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from grpc_operator import limits
from grpc_operator.resources import Key

_HASH_BYTES = 10
_MAX_GROUPS = 16


def digest(kind: str, text: str) -> bytes:
    """Returns the hash of an item."""
    return hashlib.sha256(f"{kind}\0{text}".encode()).digest()[:_HASH_BYTES]


@dataclass(frozen=True)
class Acceptance:
    """When hosts and items were accepted (RFC 3339 with microseconds).

    Attributes:
        hosts: By host.
        items: By hash.
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[bytes, str] = field(default_factory=dict)

    @classmethod
    def read(cls, status: Mapping[str, Any], gateway: Key) -> "Acceptance":
        """Returns what ``status.claims`` says; nothing if it is about another gateway."""
        claims = status.get("claims") or {}
        if claims.get("gateway") != gateway.namespaced_name:
            return NOTHING
        hosts: dict[str, str] = {}
        items: dict[bytes, str] = {}
        for group in claims.get("groups") or ():
            since = str(group["since"])
            hosts |= dict.fromkeys(group.get("hostnames") or (), since)
            items |= dict.fromkeys(_unpacked(group.get("items") or ""), since)
        return cls(hosts, items)

    @cached_property
    def latest(self) -> str:
        """When something was accepted last; empty when nothing was."""
        return max((*self.hosts.values(), *self.items.values()), default="")

    def since(self, host: str, item: bytes) -> str | None:
        """Returns when an item was accepted on a host; ``None`` if it was not."""
        if host not in self.hosts or item not in self.items:
            return None
        return max(self.hosts[host], self.items[item])

    def renewed(self, hosts: Iterable[str], items: Iterable[bytes], now: str) -> "Acceptance":
        """Returns what is accepted now: what stays keeps its age, what is new gets ``now``."""
        known = [each for each in items if each in self.items]
        new = [each for each in items if each not in self.items]
        room = max(limits.ACCEPTED_CLAIMS.value - len(known), 0)
        return Acceptance(
            {host: self.hosts.get(host, now) for host in hosts},
            {item: self.items[item] for item in known} | dict.fromkeys(sorted(new)[:room], now),
        )

    def wire(self, gateway: Key) -> dict[str, Any]:
        """Returns ``status.claims``."""
        groups: dict[str, tuple[list[str], list[bytes]]] = defaultdict(lambda: ([], []))
        for host, since in self.hosts.items():
            groups[since][0].append(host)
        for item, since in self.items.items():
            groups[since][1].append(item)
        while len(groups) > _MAX_GROUPS:
            oldest, next_ = sorted(groups)[:2]
            hosts, items = groups.pop(oldest)
            groups[next_][0].extend(hosts)
            groups[next_][1].extend(items)
        return {
            "gateway": gateway.namespaced_name,
            "groups": [_group(since, *groups[since]) for since in sorted(groups)],
        }


NOTHING = Acceptance()
"""Nothing was accepted yet."""


def _group(since: str, hosts: list[str], items: list[bytes]) -> dict[str, Any]:
    group: dict[str, Any] = {"since": since}
    if hosts:
        group["hostnames"] = sorted(hosts)
    if items:
        group["items"] = b64encode(b"".join(sorted(items))).decode()
    return group


def _unpacked(text: str) -> Iterator[bytes]:
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return
    for start in range(0, len(data), _HASH_BYTES):
        yield data[start : start + _HASH_BYTES]
