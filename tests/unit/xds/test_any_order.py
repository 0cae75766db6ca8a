"""Whatever happens in whatever order, a proxy converges and no route lacks its cluster.

The proxy here keeps the rules that Envoy keeps: it requests the endpoints of each cluster and the
routes of each scope, unsubscribes from them with these, and answers in the order of arrival.
"""

from collections import deque
from dataclasses import replace
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_operator.gateway.snapshot import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPE,
    Change,
    Snapshot,
)
from grpc_operator.resources import service_key
from grpc_operator.xds.state import Stats
from grpc_operator.xds.stream_state import StreamState
from tests.unit.xds.proxy import snapshot

NEEDS = {CLUSTER: ENDPOINTS, SCOPE: ROUTES}
ALL = (CLUSTER, ENDPOINTS, LISTENER, SCOPE, ROUTES)

Services = dict[str, int]
"""Version by name."""


def desired(services: Services) -> Snapshot:
    """Returns the snapshot of these services; b and d are tables, which are sent later."""
    versions = {name: str(version) for name, version in services.items()}
    return snapshot(
        {LISTENER: {"http": "1"}, **{t: versions for t in ALL if t != LISTENER}},
        {service_key("ns", name): version for name, version in versions.items()},
        stages={name: 1 for name in versions if name in "bd"},
        owners={name: service_key("ns", name) for name in versions},
    )


class Model:
    """A proxy with delays in both directions."""

    def __init__(self) -> None:
        self.has: dict[str, dict[str, str]] = {type_url: {} for type_url in ALL}
        self.warming: set[str] = set()
        self.newest = desired({})
        self.connect()

    def connect(self) -> None:
        """Opens a new stream; what was in flight is lost."""
        self.stream = StreamState("node", Stats(), {})
        self.stream.publish(self.newest)
        self.to_proxy: deque[Any] = deque()
        self.to_server: deque[Any] = deque()
        for type_url in ALL:
            names = [*self.needed(type_url)] if type_url in NEEDS.values() else []
            if names or type_url not in NEEDS.values():
                self.send(type_url, names, initial_resource_versions=self.has[type_url])

    def needed(self, type_url: str) -> set[str]:
        """Returns the names that the proxy needs of a type that it subscribes to by name."""
        return {n for t, needed in NEEDS.items() if needed == type_url for n in self.has[t]}

    def send(self, type_url: str, subscribe: list[str], **fields: Any) -> None:
        """Sends a request."""
        self.to_server.append(
            discovery_pb2.DeltaDiscoveryRequest(
                type_url=type_url, resource_names_subscribe=subscribe, **fields
            )
        )

    def publish(self, services: Services, *, says_what_differs: bool) -> None:
        """Publishes a snapshot that says how it differs from the one before, or does not."""
        before, after = self.newest, desired(services)
        names = {
            t: {
                name
                for name in before.resources[t].keys() | after.resources[t].keys()
                if before.resources[t].get(name) != after.resources[t].get(name)
            }
            for t in ALL
        }
        hashes = before.config_hashes.items() ^ after.config_hashes.items()
        change = Change(before.version, names, {key for key, _ in hashes})
        self.newest = replace(after, change=change if says_what_differs else None)
        self.stream.publish(self.newest)

    def deliver_request(self) -> bool:
        """Lets one request arrive; returns False when there is none."""
        if self.to_server:
            self.stream.receive(self.to_server.popleft(), 0)
            return True
        return False

    def respond(self) -> bool:
        """Lets the server send one response; returns False when it has none."""
        response = self.stream.next_response(0)
        if response is not None:
            self.to_proxy.append(response)
        return response is not None

    def deliver_response(self) -> bool:
        """Lets one response arrive; returns False when there is none."""
        if not self.to_proxy:
            return False
        response = self.to_proxy.popleft()
        has, needed = self.has[response.type_url], NEEDS.get(response.type_url)
        before = set(has)
        if response.type_url == CLUSTER:
            self.warming |= {r.name for r in response.resources}
            self.warming -= set(response.removed_resources)
        elif response.type_url == ENDPOINTS:
            self.warming -= {r.name for r in response.resources}
        has.update({r.name: r.version for r in response.resources})
        for name in response.removed_resources:
            has.pop(name, None)
        if needed is not None and set(has) != before:
            for name in before - set(has):
                self.has[needed].pop(name, None)
            self.send(
                needed,
                sorted(set(has) - before),
                resource_names_unsubscribe=sorted(before - set(has)),
            )
        self.send(response.type_url, [], response_nonce=response.nonce)
        self.check()
        return True

    def check(self) -> None:
        """No scope with routes lacks its cluster or the cluster's endpoints."""
        for name in self.has[SCOPE].keys() & self.has[ROUTES].keys():
            assert name in self.has[CLUSTER]
            assert name in self.has[ENDPOINTS]

    def settle(self) -> None:
        """Lets everything arrive until there is nothing more to send."""
        while self.respond() or self.deliver_response() or self.deliver_request():
            pass


_services = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 3), max_size=5)
_move = st.one_of(
    _services, st.sampled_from(["request", "respond", "response", "response", "reconnect"])
)


@settings(max_examples=300)
@given(moves=st.lists(_move, max_size=60), last=_services, says=st.booleans())
def test_a_proxy_converges_without_a_gap(
    moves: list[Services | str], last: Services, *, says: bool
) -> None:
    model = Model()
    acts = {
        "request": model.deliver_request,
        "respond": model.respond,
        "response": model.deliver_response,
        "reconnect": model.connect,
    }
    for move in moves:
        if isinstance(move, str):
            acts[move]()
        else:
            model.publish(move, says_what_differs=says)
    model.publish(last, says_what_differs=says)
    model.settle()
    expected = desired(last)
    for type_url in ALL:
        named = expected.resources[type_url]
        assert model.has[type_url] == {name: r.version for name, r in named.items()}
    assert not model.warming
    assert model.stream.state().config_hashes == expected.config_hashes
