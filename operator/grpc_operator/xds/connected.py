"""The streams of one server: one for each proxy, and what is known of one that reconnects."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from grpc_operator import limits
from grpc_operator.resources import Key
from grpc_operator.xds.authentication import Identity
from grpc_operator.xds.state import ProxyState
from grpc_operator.xds.stream import Stream

RECONNECT_SECONDS = 10.0
"""For how long a proxy whose stream the server ended counts with what it had."""


@dataclass(frozen=True)
class _Left:
    """What a proxy had when the server ended its stream."""

    identity: Identity
    state: ProxyState
    until: float


class Connected:
    """Which proxies are connected.

    A new stream of a pod replaces its older one. A proxy that was made to reconnect keeps the
    state that it had, until it has shown its new one: a status must not change because of that.

    Args:
        report: Called with a gateway when what is known of its proxies has changed later.
        is_valid: Returns whether a proxy still exists.
    """

    def __init__(self, report: Callable[[Key], None], is_valid: Callable[[Identity], bool]) -> None:
        self._report = report
        self._is_valid = is_valid
        self._streams: dict[Key, dict[str, Stream]] = {}
        self._left: dict[tuple[Key, str], _Left] = {}
        self._count = 0

    def is_full(self, identity: Identity) -> bool:
        """Returns whether there is no room for this proxy."""
        known = identity.node in self._streams.get(identity.gateway, {})
        return self._count >= limits.XDS_PROXIES.value and not known

    def of(self, gateway: Key) -> Iterable[Stream]:
        """Returns the streams of a gateway."""
        return list(self._streams.get(gateway, {}).values())

    def all(self) -> list[Stream]:
        """Returns every stream."""
        return [stream for streams in self._streams.values() for stream in streams.values()]

    def add(self, stream: Stream) -> None:
        """Adds a stream and ends the older one of the same pod."""
        gateway, node = stream.identity.gateway, stream.identity.node
        older = self._streams.get(gateway, {}).get(node)
        if older is not None:
            older.stop("replaced by a newer stream of the same pod")
            self._leave(older)
            self._remove(older)
        self._streams.setdefault(gateway, {})[node] = stream
        self._count += 1

    def discard(self, stream: Stream) -> None:
        """Removes a stream that has ended, unless a newer one has replaced it."""
        if self._streams.get(stream.identity.gateway, {}).get(stream.identity.node) is stream:
            if stream.is_to_reconnect:
                self._leave(stream)
            self._remove(stream)

    def states(self, gateway: Key) -> tuple[ProxyState, ...]:
        """Returns the proxies of a gateway, sorted by node."""
        states = {
            node: left.state
            for (owner, node), left in self._left.items()
            if owner == gateway and left.until > _now() and self._is_valid(left.identity)
        }
        for node, stream in self._streams.get(gateway, {}).items():
            state = stream.state()
            if state.config_hashes or state.rejected or node not in states:
                states[node] = state
        return tuple(states[node] for node in sorted(states))

    def _remove(self, stream: Stream) -> None:
        gateway = stream.identity.gateway
        del self._streams[gateway][stream.identity.node]
        if not self._streams[gateway]:
            del self._streams[gateway]
        self._count -= 1

    def _leave(self, stream: Stream) -> None:
        gateway, node = stream.identity.gateway, stream.identity.node
        left = _Left(stream.identity, stream.state(), _now() + RECONNECT_SECONDS)
        if left.state.config_hashes:
            self._left[gateway, node] = left
            asyncio.get_running_loop().call_later(RECONNECT_SECONDS, self._forget, gateway, node)

    def _forget(self, gateway: Key, node: str) -> None:
        left = self._left.get((gateway, node))
        if left is not None and left.until <= _now():
            del self._left[gateway, node]
            self._report(gateway)


def _now() -> float:
    return asyncio.get_running_loop().time()
