"""Who owns what on which host: the older one wins, the younger one is told who did."""

from collections import defaultdict
from collections.abc import Iterable

from grpc_operator.errors import Problem
from grpc_operator.gateway import hosts, patterns
from grpc_operator.gateway.infrastructure import NAMES
from grpc_operator.gateway.ir import Api, Attachment
from grpc_operator.gateway.patterns import Pattern


class Ledger:
    """Remembers the owner of every claim. Claims are entered from the oldest service on."""

    def __init__(self) -> None:
        """Begins with no claims."""
        self._grpc: dict[tuple[str, str], str] = {}
        self._shapes: dict[str, dict[str, str]] = defaultdict(dict)
        self._whole: dict[tuple[str, str], str] = {}
        self._above: dict[tuple[str, str], str] = {}

    def grpc(self, attachment: Attachment, api: Api) -> Problem | None:
        """Enters a gRPC service on all hosts of an attachment, or says who has it."""
        for host in attachment.hosts:
            owner = self._grpc.get((host, api.name))
            if owner is not None:
                return _lost_grpc(api.name, owner, host)
        for host in attachment.hosts:
            self._grpc[host, api.name] = attachment.cluster
        return None

    def rest(self, attachment: Attachment, api: Api) -> Problem | None:
        """Enters the REST paths of a gRPC service on all hosts, or says who has one of them."""
        for host in attachment.hosts:
            if not self._shapes[host].keys().isdisjoint(api.shapes) or self._whole:
                for pattern in api.patterns:
                    owner = self._owner_of(host, pattern, attachment.cluster)
                    if owner is not None:
                        return _lost_rest(f"{pattern.shape} of {api.name}", owner, host)
        for host in attachment.hosts:
            self._shapes[host].update(dict.fromkeys(api.shapes, attachment.cluster))
        return None

    def prefix(self, attachment: Attachment, prefix: str) -> Problem | None:
        """Enters a path prefix claimed as a whole, or says who has something below or above it."""
        mine = attachment.cluster
        for host in attachment.hosts:
            below = self._above.get((host, prefix), mine)
            owner = self._owner_above(host, prefix, mine) if below == mine else below
            if owner is not None:
                return _lost_prefix(prefix, owner, host)
        for host in attachment.hosts:
            self._whole[host, prefix] = mine
        return None

    def remember_above(self, attachment: Attachment, paths: Iterable[str]) -> None:
        """Enters literal paths so that a later claim of a prefix above them is seen."""
        for host in attachment.hosts:
            for path in paths:
                for above in (path, *patterns.ancestors(path)):
                    self._above.setdefault((host, above), attachment.cluster)

    def _owner_of(self, host: str, pattern: Pattern, mine: str) -> str | None:
        owner = self._shapes[host].get(pattern.shape, mine)
        return owner if owner != mine else self._owner_above(host, pattern.prefix, mine)

    def _owner_above(self, host: str, path: str, mine: str) -> str | None:
        """Returns who has claimed this path, or one above it, as a whole."""
        paths = (path, *patterns.ancestors(path))
        owners = (self._whole.get((host, each), mine) for each in paths)
        return next((owner for owner in owners if owner != mine), None)


def _on(host: str) -> str:
    return "every host" if host == hosts.ANY else host


def _lost_grpc(name: str, owner: str, host: str) -> Problem:
    if name in NAMES:
        field, mend = "spec.gateway.expose", "choose other hostnames, or do not expose it"
    else:
        field = "spec.services"
        mend = "choose other hostnames in spec.gateway.hostnames, or leave it out of spec.services"
    return Problem(field, f"{name} is served by the older {owner} on {_on(host)}; {mend}")


def _lost_rest(what: str, owner: str, host: str) -> Problem:
    message = f"{what} is served by the older {owner} on {_on(host)}; choose other hostnames"
    return Problem("spec.gateway.rest", f"{message}, or take REST out of protocols")


def _lost_prefix(prefix: str, owner: str, host: str) -> Problem:
    message = f"{prefix} overlaps what the older {owner} serves on {_on(host)}; choose another"
    return Problem("spec.gateway.rest.prefixes", message)
