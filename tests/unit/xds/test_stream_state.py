"""A stream, step by step: what is sent when, and what is known afterwards."""

import pytest

from grpc_operator import limits
from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPE, Snapshot
from grpc_operator.resources import service_key
from grpc_operator.xds import responses
from grpc_operator.xds.pending import ACK_TIMEOUT, ACK_TIMEOUT_PER_RESOURCE
from grpc_operator.xds.stream_state import TooMuchError
from tests.unit.xds.proxy import Proxy, snapshot

USERS = service_key("ns", "users")
CDS, EDS, LDS = "Cluster", "ClusterLoadAssignment", "Listener"
RDS, SRDS = "RouteConfiguration", "ScopedRouteConfiguration"


def full(*names: str, version: str = "1", stages: dict[str, int] | None = None) -> Snapshot:
    """Returns a listener, and everything of services with these names, which own it."""
    named = dict.fromkeys(names, version)
    return snapshot(
        {LISTENER: {"http": "1"}, CLUSTER: named, ENDPOINTS: named, SCOPE: named, ROUTES: named},
        {service_key("ns", name): version for name in names},
        stages=stages,
        owners={name: service_key("ns", name) for name in names},
    )


def running(*names: str, version: str = "1") -> Proxy:
    """Returns a proxy that has applied everything of these services."""
    proxy = Proxy()
    proxy.stream.publish(full(*names, version=version))
    for type_url in (CLUSTER, LISTENER, SCOPE):
        proxy.subscribe(type_url)
        proxy.responses()
        proxy.ack()
        if type_url == CLUSTER:
            proxy.subscribe(ENDPOINTS, *names)
        if type_url == SCOPE:
            proxy.subscribe(ROUTES, *names)
        proxy.converge()
    assert proxy.stream.state().config_hashes == {
        service_key("ns", name): version for name in names
    }
    proxy.stream.concerned()
    return proxy


def test_nothing_is_sent_before_the_gateway_is_known() -> None:
    proxy = Proxy()
    proxy.subscribe(CLUSTER)
    proxy.subscribe(ROUTES, "users")
    assert proxy.responses() == []
    proxy.stream.publish(full("users"))
    assert proxy.responses() == [(RDS, {"users": "1"}, ()), (CDS, {"users": "1"}, ())]


def test_a_name_that_does_not_exist_is_answered() -> None:
    proxy = running("users")
    proxy.subscribe(ROUTES, "nobody")
    assert proxy.responses() == [(RDS, {}, ("nobody",))]
    proxy.ack()
    proxy.stream.publish(full("users", "nobody"))
    proxy.subscribe(ENDPOINTS, "nobody")
    assert (RDS, {"nobody": "1"}, ()) in proxy.converge()


def test_a_type_that_is_not_served_is_answered_as_absent() -> None:
    proxy = running("users")
    proxy.subscribe("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "cert")
    assert proxy.converge() == [("Secret", {}, ("cert",))]


def test_a_new_service_is_sent_in_order_and_only_after_acknowledgements() -> None:
    proxy = running("users")
    proxy.stream.publish(full("users", "new"))
    assert proxy.responses() == [(CDS, {"new": "1"}, ())]
    proxy.ack()
    assert proxy.responses() == []  # its endpoints are missing
    proxy.subscribe(ENDPOINTS, "new")
    assert proxy.responses() == [(EDS, {"new": "1"}, ())]
    assert proxy.responses() == []
    proxy.ack()
    assert proxy.responses() == [(SRDS, {"new": "1"}, ())]
    proxy.ack()
    assert proxy.stream.state().config_hashes.keys() == {USERS}
    proxy.subscribe(ROUTES, "new")
    assert proxy.converge() == [(RDS, {"new": "1"}, ())]
    assert proxy.stream.state().config_hashes == {USERS: "1", service_key("ns", "new"): "1"}
    assert proxy.stream.concerned() == {service_key("ns", "new")}


def test_a_table_is_sent_after_the_routes_of_the_scopes_it_uses() -> None:
    proxy = running("users")
    proxy.stream.publish(full("users", "own", "table", stages={"table": 1}))
    proxy.responses()
    proxy.ack()
    proxy.subscribe(ENDPOINTS, "own", "table")
    proxy.responses()
    proxy.ack()
    assert proxy.responses() == [(SRDS, {"own": "1"}, ())]
    proxy.ack()
    assert proxy.responses() == []
    proxy.subscribe(ROUTES, "own")
    assert proxy.responses() == [(RDS, {"own": "1"}, ())]
    proxy.ack()
    assert proxy.responses() == [(SRDS, {"table": "1"}, ())]


def test_removal_is_the_reverse() -> None:
    proxy = running("users", "old")
    proxy.stream.publish(full("users"))
    assert proxy.responses() == [(SRDS, {}, ("old",))]
    proxy.subscribe(ROUTES, unsubscribe=("old",))
    proxy.ack()
    assert proxy.responses() == [(CDS, {}, ("old",))]
    proxy.subscribe(ENDPOINTS, unsubscribe=("old",))
    proxy.ack()
    assert proxy.responses() == []
    assert proxy.stream.state().config_hashes == {USERS: "1"}
    assert proxy.stream.concerned() == {service_key("ns", "old")}


def test_a_changed_cluster_gets_its_endpoints_again() -> None:
    proxy = running("users")
    changed = {
        **full("users").resources,
        CLUSTER: full("users", version="2").resources[CLUSTER],
    }
    proxy.stream.publish(Snapshot(changed, {USERS: "2"}))
    assert proxy.responses() == [(CDS, {"users": "2"}, ()), (EDS, {"users": "1"}, ())]
    proxy.ack()
    assert proxy.converge() == []
    assert proxy.stream.state().config_hashes == {USERS: "2"}


def test_endpoints_wait_for_nothing() -> None:
    proxy = running("users")
    proxy.stream.publish(full("users", "new"))
    assert proxy.responses() == [(CDS, {"new": "1"}, ())]
    moved = dict(full("users", "new").resources)
    moved[ENDPOINTS] = full("users", "new", version="2").resources[ENDPOINTS]
    proxy.stream.publish(Snapshot(moved, {}))
    assert proxy.responses() == [(EDS, {"users": "2"}, ())]


def test_a_version_in_flight_is_not_overtaken_and_the_newest_follows() -> None:
    proxy = running("users")
    for version in ("2", "3", "4"):
        moved = dict(full("users").resources)
        moved[ENDPOINTS] = full("users", version=version).resources[ENDPOINTS]
        proxy.stream.publish(Snapshot(moved, {}))
        assert proxy.responses() == ([(EDS, {"users": "2"}, ())] if version == "2" else [])
    proxy.ack()
    assert proxy.converge() == [(EDS, {"users": "4"}, ())]


def test_a_flow_of_snapshots_does_not_keep_routes_from_being_sent() -> None:
    """Each brings a new cluster, and yet the first service gets its routes."""
    proxy = running("users")
    names = ["users", "first"]
    sent = []
    proxy.stream.publish(full(*names))
    for number in range(4):
        sent += proxy.responses()
        names.append(f"later-{number}")
        proxy.stream.publish(full(*names))
        proxy.ack()
        if number == 0:
            proxy.subscribe(ENDPOINTS, "first")
        if number == 2:
            proxy.subscribe(ROUTES, "first")
    assert sent == [
        (CDS, {"first": "1"}, ()),
        (EDS, {"first": "1"}, ()),
        (SRDS, {"first": "1"}, ()),
        (RDS, {"first": "1"}, ()),
    ]
    later = {f"later-{number}": "1" for number in range(4)}
    assert proxy.responses() == [(CDS, later, ())]


def test_a_newer_snapshot_becomes_the_target_when_none_of_its_steps_belongs_before() -> None:
    proxy = running("users")
    proxy.stream.publish(full("users", "new"))
    proxy.responses()
    proxy.subscribe(ENDPOINTS, "new")
    proxy.responses()
    newest = dict(full("users", "new").resources)
    newest[SCOPE] = full("users", "new", version="2").resources[SCOPE]
    proxy.stream.publish(Snapshot(newest, {}))
    proxy.ack()
    assert proxy.responses() == [(SRDS, {"users": "2", "new": "2"}, ())]


def test_what_changed_while_a_rejected_version_was_in_flight_is_sent() -> None:
    proxy = running("users")
    for version in ("2", "3"):
        moved = dict(full("users").resources)
        moved[ENDPOINTS] = full("users", version=version).resources[ENDPOINTS]
        moved[ROUTES] = full("users", version=version).resources[ROUTES]
        proxy.stream.publish(Snapshot(moved, {USERS: version}))
        assert len(proxy.responses()) == (2 if version == "2" else 0)
    proxy.ack(reject="not these")
    assert proxy.converge() == [(EDS, {"users": "3"}, ()), (RDS, {"users": "3"}, ())]
    assert proxy.stream.state().config_hashes == {USERS: "3"}
    assert proxy.stream.state().rejected == {}


def test_what_was_restored_is_not_removed() -> None:
    proxy = running("users", "back")
    proxy.stream.publish(full("users"))
    assert proxy.responses() == [(SRDS, {}, ("back",))]
    proxy.stream.publish(full("users", "back"))
    proxy.ack()
    assert proxy.converge() == [(SRDS, {"back": "1"}, ())]


def test_a_proxy_that_has_much_to_apply_has_more_time() -> None:
    """It handles a response as a whole: 1000 clusters have taken Envoy 7 s on a busy machine."""
    proxy = running("users")
    many = [f"new{number}" for number in range(1000)]
    proxy.stream.publish(full("users", *many))
    assert [len(versions) for _, versions, _ in proxy.responses()] == [1000]
    proxy.now = 20
    assert proxy.responses() == []
    proxy.ack()
    proxy.now = 25  # the endpoints have still to be requested
    assert proxy.responses() == []
    for number, name in enumerate(many, start=1):
        proxy.subscribe(ENDPOINTS, name)
        proxy.responses()
        proxy.ack()
        if number < len(many):
            proxy.now += ACK_TIMEOUT - 0.1
    assert {kind for kind, _, _ in proxy.responses()} == {SRDS}


def test_the_ack_timeout_begins_the_next_step(caplog: pytest.LogCaptureFixture) -> None:
    proxy = running("users")
    proxy.stream.publish(full("users", "new"))
    assert proxy.responses() == [(CDS, {"new": "1"}, ())]
    end = proxy.stream.deadline
    assert end == ACK_TIMEOUT + 2 * ACK_TIMEOUT_PER_RESOURCE
    proxy.now = end - 0.01
    assert proxy.responses() == []
    proxy.now = end
    assert proxy.responses() == [(SRDS, {"new": "1"}, ())]
    assert "has not acknowledged 2 resources, such as Cluster 'new' in time" in caplog.text


def test_a_reconnecting_proxy_gets_only_what_differs_in_order() -> None:
    """The first requests come one after another; no cluster goes before the routes are known."""
    proxy = Proxy()
    proxy.stream.publish(full("same", "changed", version="2"))
    has = {"same": "2", "changed": "1", "gone": "1"}
    proxy.subscribe(CLUSTER, has=has)
    assert proxy.responses() == []
    proxy.subscribe(ENDPOINTS, *has, has=has)
    assert proxy.responses() == [(EDS, {"changed": "2"}, ())]
    proxy.subscribe(LISTENER, has={"http": "1"})
    proxy.subscribe(SCOPE, has=has)
    assert proxy.responses() == []
    proxy.subscribe(ROUTES, *has, has=has)
    assert proxy.responses() == [(CDS, {"changed": "2"}, ())]
    proxy.ack()
    assert proxy.responses() == [(EDS, {"changed": "2"}, ())]
    proxy.ack()
    sent = proxy.converge()
    assert sorted(sent[:2]) == [(RDS, {"changed": "2"}, ()), (SRDS, {"changed": "2"}, ())]
    gone: dict[str, str] = {}
    assert sent[2:] == [
        (SRDS, gone, ("gone",)),
        (RDS, gone, ("gone",)),
        (CDS, gone, ("gone",)),
        (EDS, gone, ("gone",)),
    ]
    assert proxy.stream.state().config_hashes == {
        service_key("ns", "same"): "2",
        service_key("ns", "changed"): "2",
    }


def test_a_reconnecting_proxy_that_has_everything_gets_nothing() -> None:
    proxy = Proxy()
    proxy.stream.publish(full("users"))
    for type_url in (CLUSTER, LISTENER, SCOPE):
        proxy.subscribe(type_url, has={"http" if type_url == LISTENER else "users": "1"})
    for type_url in (ENDPOINTS, ROUTES):
        proxy.subscribe(type_url, "users", has={"users": "1"})
    assert proxy.responses() == []
    assert proxy.stream.state().config_hashes == {USERS: "1"}
    assert proxy.stream.concerned() == {USERS}


def test_a_rejection_is_quoted_sent_once_and_concerns_its_owner() -> None:
    proxy = running("users", "bad")
    routes = full("users", "bad").resources[ROUTES]
    bad = full("bad", version="2").resources[ROUTES]["bad"]
    resources = {**full("users", "bad").resources, ROUTES: {**routes, "bad": bad}}
    proxy.stream.publish(Snapshot(resources, {USERS: "2", service_key("ns", "bad"): "2"}))
    assert proxy.responses() == [(RDS, {"bad": "2"}, ())]
    proxy.ack(reject="no such thing")
    assert proxy.stream.state().rejected == {
        service_key("ns", "bad"): f'{RDS} bad: "no such thing"'
    }
    assert proxy.converge() == []
    assert proxy.stream.state().config_hashes == {USERS: "2", service_key("ns", "bad"): "1"}
    assert proxy.stream.concerned() == {USERS, service_key("ns", "bad")}
    proxy.stream.publish(full("users", "bad"))  # back to what the proxy still has
    assert proxy.converge() == []
    assert proxy.stream.state().rejected == {}
    assert proxy.stream.state().config_hashes[service_key("ns", "bad")] == "1"
    assert service_key("ns", "bad") in proxy.stream.concerned()


def test_of_a_rejected_response_each_resource_is_retried_singly() -> None:
    proxy = running("users")
    proxy.stream.publish(full("users", "good", "bad"))
    assert proxy.responses() == [(CDS, {"good": "1", "bad": "1"}, ())]
    proxy.ack(reject="something in there")
    assert proxy.stream.state().rejected == {}
    assert proxy.responses() == [(CDS, {"bad": "1"}, ()), (CDS, {"good": "1"}, ())]
    (bad, good), proxy.unanswered = proxy.unanswered, []
    proxy.unanswered = [bad]
    proxy.ack(reject="this one")
    proxy.unanswered = [good]
    proxy.ack()
    assert proxy.stream.state().rejected == {service_key("ns", "bad"): f'{CDS} bad: "this one"'}
    proxy.subscribe(ENDPOINTS, "good")
    assert proxy.responses() == [(EDS, {"good": "1"}, ())]
    proxy.ack()
    assert proxy.responses()[0][0] == SRDS  # nothing waits for the rejected cluster's endpoints


def test_a_rejection_of_something_shared_concerns_those_that_share_it() -> None:
    """The others are served, whatever is wrong with one of these."""
    one, two, other = service_key("ns", "one"), service_key("ns", "two"), service_key("ns", "other")
    config_hashes = {one: "1", two: "1", other: "1"}
    made = full("one", "two", "other")
    both = snapshot({ROUTES: {"both": "1"}, SCOPE: {"both": "1"}}, sharers={"both": (one, two)})
    resources = {
        type_url: {**named, **both.resources.get(type_url, {})}
        for type_url, named in made.resources.items()
    }
    proxy = Proxy()
    proxy.stream.publish(Snapshot(resources, config_hashes))
    for type_url in (CLUSTER, LISTENER, SCOPE):
        proxy.subscribe(type_url)
    proxy.subscribe(ENDPOINTS, "one", "two", "other")
    proxy.subscribe(ROUTES, "one", "two", "other")
    proxy.converge()
    proxy.subscribe(ROUTES, "both")
    assert proxy.responses() == [(RDS, {"both": "1"}, ())]
    proxy.ack(reject="no such thing")
    proxy.converge()
    state = proxy.stream.state()
    message = f"{RDS} both: the log of the operator says why, as other GrpcServices share it"
    assert state.rejected == {one: message, two: message}
    assert state.config_hashes == {other: "1"}


def test_a_rejection_of_what_all_share_holds_every_change_back() -> None:
    proxy = running("users")
    listener = {LISTENER: snapshot({LISTENER: {"http": "2"}}).resources[LISTENER]}
    proxy.stream.publish(Snapshot({**full("users").resources, **listener}, {USERS: "2"}))
    proxy.responses()
    proxy.ack(reject="cannot bind")
    proxy.responses()
    state = proxy.stream.state()
    (text,) = state.rejected.values()
    assert text.startswith(f"{LDS} http: the log of the operator says why")
    assert "cannot bind" not in text, "it may name other tenants"
    assert state.config_hashes == {USERS: "1"}
    assert proxy.stream.concerned() == {USERS}


def test_routes_are_sent_one_by_one_and_others_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MAX_BYTES", 3)
    names = ["a", "b", "c", "d", "e"]
    proxy = Proxy()
    proxy.stream.publish(full(*names))
    proxy.subscribe(CLUSTER)
    sizes = [len(versions) for _, versions, _ in proxy.responses()]
    assert sum(sizes) == len(names)
    assert len(sizes) > 1
    proxy.subscribe(ROUTES, *names)
    assert [versions for _, versions, _ in proxy.responses()] == [{name: "1"} for name in names]


def test_a_client_cannot_subscribe_to_any_number_of_names() -> None:
    proxy = Proxy()
    proxy.subscribe(ROUTES, *map(str, range(limits.XDS_NAMES.value - 1)))
    with pytest.raises(TooMuchError):
        proxy.subscribe(ROUTES, "one more")


def test_a_withdrawn_gateway_is_left_alone() -> None:
    proxy = running("users")
    proxy.stream.publish(None)
    proxy.subscribe(ROUTES, "other")
    assert proxy.responses() == []
    assert proxy.stream.deadline is None


def test_many_names_that_do_not_exist_are_answered_in_parts() -> None:
    """One response to all of them held up every other proxy for a second."""
    proxy = running("users")
    proxy.subscribe(ENDPOINTS, *(f"absent-{number}" for number in range(12_000)))
    answers = [removed for _, _, removed in proxy.responses()]
    assert [len(names) for names in answers] == [5_000, 5_000, 2_000]


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("x" * (limits.XDS_NAME.value + 1), "", "characters in the name"),
        ("x", "1" * (limits.XDS_NAME.value + 1), "characters in the name or version"),
    ],
)
def test_names_and_versions_are_short(name: str, version: str, words: str) -> None:
    """Nine requests with one name of 15 MB each took 276 MiB."""
    proxy = Proxy()
    has = {name: version} if version else {}
    with pytest.raises(TooMuchError, match=words):
        proxy.subscribe(ENDPOINTS, name, has=has)


def test_a_stream_has_few_types() -> None:
    """One that does not exist is kept like the others."""
    proxy = Proxy()
    for number in range(limits.XDS_TYPES.value):
        proxy.subscribe(f"type-{number}")
    with pytest.raises(TooMuchError, match="types of resources"):
        proxy.subscribe("one more")
