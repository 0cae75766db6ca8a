"""The REST routes of one virtual host: those of all claims on it, as a request finds them."""

from collections.abc import Sequence
from typing import NamedTuple

from grpc_operator.gateway.claims import RestClaim
from grpc_operator.gateway.envoy import rest_routes, route_matchers

FEW = 4
"""Beginnings of paths that a request is compared with one by one: to look it up takes as long."""

RoutesOfClaims = dict[RestClaim, dict[tuple[str, bool], bytes]]
"""Routes of literal prefixes, by the claim, the prefix, and whether they are beside gRPC routes."""


class RestRoutes(NamedTuple):
    """The routes of REST claims on a virtual host, in order.

    Attributes:
        refused: Those that refuse malformed metadata.
        before: Those of single paths.
        starts: Those of everything that begins like a path, by that path, the longest first.
        after: Those of what matches none of the others.
        by_prefix: Whether the starts are to be looked up: no request with one finds one of the
            others that serve, and they are many.
    """

    refused: bytes
    before: bytes
    starts: dict[str, bytes]
    after: bytes
    by_prefix: bool

    @classmethod
    def of(
        cls, claims: Sequence[RestClaim], known: RoutesOfClaims, *, beside_grpc: bool
    ) -> "RestRoutes":
        """Returns the routes of claims.

        Args:
            claims: At least one; the more specific host names first, then the older services.
            known: Routes made before; gets those that are made now.
            beside_grpc: Whether a gRPC service has the same paths; gRPC calls are then left to it.
        """
        separate, shared = rest_routes.split(claims)
        exact, starts = rest_routes.exact(shared, beside_grpc=beside_grpc)
        starts += [(path, claim) for claim in separate for path in claim.paths.starts]
        starts.sort(key=_longest_first)
        before = [*rest_routes.particular(separate, beside_grpc=beside_grpc), *exact]
        made: dict[str, bytes] = {}
        for path, claim in starts:
            of_claim, key = known.setdefault(claim, {}), (path, beside_grpc)
            if key not in of_claim:
                routes = rest_routes.start(path, claim, beside_grpc=beside_grpc)
                of_claim[key] = route_matchers.joined(routes)
            made[path] = made.get(path, b"") + of_claim[key]
        refused = rest_routes.refused(beside_grpc=beside_grpc)
        return cls(
            route_matchers.joined(refused),
            route_matchers.joined(each for _, each in before),
            made,
            # Those of a gRPC service come after these.
            b"" if beside_grpc else route_matchers.joined(rest_routes.rest(shared)),
            not beside_grpc and len(made) > FEW and rest_routes.are_apart(starts, before),
        )

    @property
    def in_order(self) -> bytes:
        """All of them, of which the first match counts."""
        return b"".join((self.refused, self.before, *self.starts.values(), self.after))

    def alone(self) -> bytes:
        """Returns a serialised virtual host with nothing else, for ``table_parts``."""
        if self.by_prefix:
            others = self.before + self.after
            return route_matchers.by_prefix(self.refused, self.starts, others)
        return route_matchers.in_order(self.in_order)


def _longest_first(start: rest_routes.Start) -> tuple[int, str]:
    return -len(start[0]), start[0]
