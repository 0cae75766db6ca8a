"""Which children were found as desired: the same two are not compared again."""

from grpc_operator.reconcile import ownership
from grpc_operator.resources import Manifest

Place = tuple[str, tuple[str, str]]
"""The uid of an owner, and the kind and name of one of its children."""


class Settled:
    """Compares children with what is desired, each version once."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[str, str], tuple[str, str, str]]] = {}

    def deviation(
        self, place: Place, live: Manifest, desired: Manifest
    ) -> ownership.Deviation | None:
        """Returns how a child deviates; ``None`` when nothing is to be written.

        Args:
            place: Where it is.
            live: The object as the API server returned it.
            desired: What the operator would apply.
        """
        metadata, wanted = live["metadata"], ownership.applied_hash(desired)
        if wanted is None:
            return ownership.deviation(live, desired)
        both = metadata["uid"], metadata["resourceVersion"], wanted
        owner, child = place
        if self._known.get(owner, {}).get(child) == both:
            return None
        found = ownership.deviation(live, desired)
        if found is None:
            self._known.setdefault(owner, {})[child] = both
        return found

    def forget(self, uid: str) -> None:
        """Forgets an owner that is gone."""
        self._known.pop(uid, None)
