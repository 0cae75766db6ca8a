"""Whether the descriptor of a new revision breaks callers of the stable one at the gateway."""

from collections.abc import Iterable
from dataclasses import replace

from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor import compat
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.gateway import rest_rules


def compare(
    gateway: Gateway | None, stable: Descriptor, candidate: Descriptor, allow: Iterable[str] = ()
) -> compat.Verdict:
    """Returns what is breaking, with REST as both revisions are served.

    Takes up to a second for the largest sets: call it beside the event loop.

    Args:
        gateway: ``spec.gateway``, which both revisions share.
        stable: What callers know.
        candidate: What is to replace it.
        allow: ``spec.rollout.schema.allow``.
    """
    if gateway is None:
        return compat.check(stable, candidate, rest=False, allow=allow)
    old = replace(stable, services=rest_rules.served(gateway, stable.services))
    new = replace(candidate, services=rest_rules.served(gateway, candidate.services))
    # Without a binding nobody sends JSON, and names of fields are free to change.
    rest = any(method.bindings for service in old.services for method in service.methods)
    return compat.check(old, new, rest=rest, allow=allow)
