"""The objects that were last built of a few owners: an owner is often reconciled several times."""

from collections import OrderedDict
from collections.abc import Callable

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.resources import Manifest

_MOST = 100
"""Owners whose objects are kept, some 15 KiB each."""


class RecentBuilds:
    """Builds the objects of owners of one kind, again only when something differs."""

    def __init__(self) -> None:
        self._known: OrderedDict[
            str, tuple[GrpcService | GrpcGateway, tuple[object, ...], list[Manifest]]
        ] = OrderedDict()

    def get(
        self,
        owner: GrpcService | GrpcGateway,
        made_of: tuple[object, ...],
        build: Callable[[], list[Manifest]],
    ) -> list[Manifest]:
        """Returns the objects of an owner, which nobody may change.

        Args:
            owner: The owner; one with the same spec is the same object (``Owners.parse``).
            made_of: What else they are made of.
            build: Builds them.

        Raises:
            InvalidSpecError: They cannot be built.
        """
        uid = owner.metadata.uid
        known = self._known.pop(uid, None)
        if known is None or known[0] is not owner or known[1] != made_of:
            known = owner, made_of, build()
        self._known[uid] = known
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known[2]
