"""TokenReviews: whether a token is valid, and whose it is; cached, and bounded for the API server.

A token that the API server refused is remembered, and an address from which too many of them came
has to wait. Whoever presents tokens can therefore cost neither memory nor requests without bound.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from grpc_operator import limits
from grpc_operator.errors import ClusterError
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import TOKEN_REVIEWS

logger = logging.getLogger(__name__)

CACHE_SECONDS = 60.0
"""For how long an answer counts: a token that is revoked works this much longer for new calls."""

REFUSED_SECONDS = 60.0
"""For how long a refused token counts against the address that it came from."""

_REVIEW_TIMEOUT = 5.0
_EXTRA = "authentication.kubernetes.io/"

_Value = TypeVar("_Value")


class TooManyReviewsError(Exception):
    """The token was not reviewed: too many others are."""


@dataclass(frozen=True)
class User:
    """Whom a valid token belongs to.

    Attributes:
        name: Such as ``system:serviceaccount:NAMESPACE:NAME``.
        pod: Name of the pod that the token is bound to; empty for none.
        pod_uid: The pod's UID.
    """

    name: str
    pod: str
    pod_uid: str


class TokenReviews:
    """Reviews tokens.

    Args:
        connection: How to reach the API server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cache: _Recent[User | None] = _Recent()
        self._refused: _Recent[int] = _Recent()
        self._slots = asyncio.Semaphore(limits.TOKEN_REVIEWS_AT_ONCE.value)
        self._waiting = 0
        self._failing = False

    async def review(self, token: str, audience: str, peer: str) -> User | None:
        """Returns whose token it is, or ``None`` when it is not valid for this audience.

        Args:
            token: The token.
            audience: Whom it must be for.
            peer: The address of who presents it.

        Raises:
            TooManyReviewsError: Try again later.
            ClusterError: The API server did not answer.
        """
        key = hashlib.sha256(f"{audience} {token}".encode()).hexdigest()
        if (found := self._cache.get(key)) is not None:
            return found.value
        refused = self._refused.get(peer)
        if self._waiting >= limits.TOKEN_REVIEWS_WAITING.value or (
            refused and refused.value >= limits.TOKEN_REVIEWS_REFUSED.value
        ):
            raise TooManyReviewsError(f"too many tokens to review from {peer}")
        self._waiting += 1
        try:
            async with self._slots:
                # Others with the same token may have waited for the same answer.
                found = self._cache.get(key)
                user = found.value if found else await self._reviewed(token, audience)
        finally:
            self._waiting -= 1
        self._cache.put(key, user, CACHE_SECONDS)
        if user is None:
            seen = self._refused.get(peer)
            self._refused.put(peer, seen.value + 1 if seen else 1, REFUSED_SECONDS)
        return user

    async def _reviewed(self, token: str, audience: str) -> User | None:
        """Logs the first of several failures: clients come back every second."""
        try:
            user = await self._send(token, audience)
        except ClusterError as error:
            if not self._failing:
                logger.warning("Proxies and replicas that connect have to wait: %s", error)
            self._failing = True
            raise
        self._failing = False
        return user

    async def _send(self, token: str, audience: str) -> User | None:
        body = {
            "apiVersion": TOKEN_REVIEWS.api_version,
            "kind": TOKEN_REVIEWS.kind,
            "spec": {"token": token, "audiences": [audience]},
        }
        answer = await self._connection.send(
            "POST", TOKEN_REVIEWS.path(), body=body, timeout=_REVIEW_TIMEOUT
        )
        status = answer.get("status") or {}
        if not status.get("authenticated") or audience not in (status.get("audiences") or ()):
            return None
        user = status["user"]
        extra = user.get("extra") or {}
        pod, uid = (_single(extra.get(f"{_EXTRA}{name}")) for name in ("pod-name", "pod-uid"))
        return User(user["username"], pod, uid)


def _single(values: list[str] | None) -> str:
    return values[0] if values and len(values) == 1 else ""


@dataclass(frozen=True)
class _Entry(Generic[_Value]):
    value: _Value
    until: float


class _Recent(Generic[_Value]):
    """The newest entries, each for a limited time."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Entry[_Value]] = OrderedDict()

    def get(self, key: str) -> _Entry[_Value] | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.until > time.monotonic() else None

    def put(self, key: str, value: _Value, seconds: float) -> None:
        self._entries[key] = _Entry(value, time.monotonic() + seconds)
        self._entries.move_to_end(key)
        while len(self._entries) > limits.TOKEN_REVIEWS_CACHED.value:
            self._entries.popitem(last=False)
