"""Who owns what on which host: the older one wins, the younger one gets a problem."""

from collections import defaultdict
from collections.abc import Iterable

from grpc_operator.errors import Problem
from grpc_operator.gateway import hosts, patterns
from grpc_operator.gateway.infrastructure import NAMES
from grpc_operator.gateway.ir import Api, Attachment
from grpc_operator.gateway.patterns import Pattern


class ConflictIndex:
    """The owner of every claim. Claims are added from the oldest service on."""

    def __init__(self) -> None:
        """Begins with no claims."""
        self._grpc: dict[tuple[str, str], str] = {}
        self._shapes: dict[str, dict[str, str]] = defaultdict(dict)
        self._prefixes: dict[tuple[str, str], str] = {}
        self._above: dict[tuple[str, str], str] = {}

    def add_grpc(self, attachment: Attachment, api: Api) -> Problem | None:
        """Adds a gRPC service on all hosts of an attachment, or returns who has it."""
        for host in attachment.hosts:
            owner = self._grpc.get((host, api.name))
            if owner is not None:
                return _lost_grpc(api.name, owner, host)
        for host in attachment.hosts:
            self._grpc[host, api.name] = attachment.cluster
        return None

    def add_rest(self, attachment: Attachment, api: Api) -> Problem | None:
        """Adds the REST paths of a gRPC service on all hosts, or returns who has one of them."""
        for host in attachment.hosts:
            if not self._shapes[host].keys().isdisjoint(api.shapes) or self._prefixes:
                for pattern in api.patterns:
                    owner = self._owner_of(host, pattern, attachment.cluster)
                    if owner is not None:
                        return _lost_rest(f"{pattern.shape} of {api.name}", owner, host)
        for host in attachment.hosts:
            self._shapes[host].update(dict.fromkeys(api.shapes, attachment.cluster))
        return None

    def add_prefix(self, attachment: Attachment, prefix: str) -> Problem | None:
        """Adds a path prefix, or returns who has something at, below or above it."""
        mine = attachment.cluster
        for host in attachment.hosts:
            below = self._above.get((host, prefix), mine)
            owner = self._owner_above(host, prefix, mine) if below == mine else below
            if owner is not None:
                return _lost_prefix(prefix, owner, host)
        for host in attachment.hosts:
            self._prefixes[host, prefix] = mine
        return None

    def add_paths(self, attachment: Attachment, paths: Iterable[str]) -> None:
        """Adds literal paths, with which a later claim of a prefix above them conflicts."""
        for host in attachment.hosts:
            for path in paths:
                for above in (path, *patterns.ancestors(path)):
                    self._above.setdefault((host, above), attachment.cluster)

    def _owner_of(self, host: str, pattern: Pattern, mine: str) -> str | None:
        owner = self._shapes[host].get(pattern.shape, mine)
        return owner if owner != mine else self._owner_above(host, pattern.prefix, mine)

    def _owner_above(self, host: str, path: str, mine: str) -> str | None:
        """Returns who has claimed this path, or one above it, as a prefix."""
        paths = (path, *patterns.ancestors(path))
        owners = (self._prefixes.get((host, each), mine) for each in paths)
        return next((owner for owner in owners if owner != mine), None)


def _on(host: str) -> str:
    return "every host" if host == hosts.ANY else host


def _lost_grpc(name: str, owner: str, host: str) -> Problem:
    if name in NAMES:
        field, fix = "spec.gateway.expose", "choose other hostnames, or do not expose it"
    else:
        field = "spec.services"
        fix = "choose other hostnames in spec.gateway.hostnames, or leave it out of spec.services"
    return Problem(field, f"{name} is served by the older {owner} on {_on(host)}; {fix}")


def _lost_rest(what: str, owner: str, host: str) -> Problem:
    message = f"{what} is served by the older {owner} on {_on(host)}; choose other hostnames"
    return Problem("spec.gateway.rest", f"{message}, or take REST out of protocols")


def _lost_prefix(prefix: str, owner: str, host: str) -> Problem:
    message = f"{prefix} overlaps what the older {owner} serves on {_on(host)}; choose another"
    return Problem("spec.gateway.rest.prefixes", message)
