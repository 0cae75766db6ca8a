"""``status.services`` of bounded size: an API may have thousands of methods."""

from collections.abc import Sequence
from typing import Any

from grpc_operator import hashing, limits


def bounded(services: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the services, without some of their methods if they are too large.

    From the last service on, first methods of which every rule is served are left out, then the
    others; the services themselves stay.

    Args:
        services: ``status.services`` in full.
    """
    found = [*services]
    over = sum(map(_size, found)) - limits.STATUS_SERVICES.value
    for keeps_refused in (True, False):
        for index in reversed(range(len(found))):
            if over <= 0:
                return found
            before = _size(found[index])
            found[index] = _shortened(found[index], keeps_refused=keeps_refused)
            over -= before - _size(found[index])
    return found


def _shortened(service: dict[str, Any], *, keeps_refused: bool) -> dict[str, Any]:
    kept = [each for each in service["methods"] if keeps_refused and "refused" in each]
    omitted = len(service["methods"]) - len(kept) + service.get("omittedMethods", 0)
    return {**service, "methods": kept, **({"omittedMethods": omitted} if omitted else {})}


def _size(value: Any) -> int:
    return len(hashing.canonical_json(value).encode())
