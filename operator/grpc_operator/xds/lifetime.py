"""When a stream has to end, so that its proxy presents its current token."""

import random
import time
from collections.abc import Callable

from grpc_operator import limits
from grpc_operator.xds.authentication import Identity

_JITTER = 0.2
"""Part of the lifetime of a stream that is left to chance, so that proxies return one by one."""


def ends(identity: Identity, is_valid: Callable[[Identity], bool]) -> Callable[[], str]:
    """Returns a function that says why a stream that begins now must end; an empty text if not.

    Args:
        identity: The proxy.
        is_valid: Returns whether it still exists.
    """
    lifetime = limits.XDS_STREAM_SECONDS.value * (1 - _JITTER * random.random())  # noqa: S311 - no secret
    expires = min(identity.expires, time.time() + lifetime)

    def why() -> str:
        if time.time() >= expires:
            return "connect again, with a current token"
        if not is_valid(identity):
            return "the pod of this proxy is gone"
        return ""

    return why
