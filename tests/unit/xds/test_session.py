"""A conversation, step by step: what is sent when, and what is known afterwards."""

import pytest

from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPE, Snapshot
from grpc_operator.resources import service_key
from grpc_operator.xds import responses
from grpc_operator.xds.pending import PATIENCE, PATIENCE_EACH
from grpc_operator.xds.session import MAX_NAMES, TooManyNamesError
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
    """Returns a proxy that has taken everything of these services."""
    proxy = Proxy()
    proxy.session.publish(full(*names, version=version))
    for type_url in (CLUSTER, LISTENER, SCOPE):
        proxy.ask(type_url)
        proxy.hear()
        proxy.ack()
        if type_url == CLUSTER:
            proxy.ask(ENDPOINTS, *names)
        if type_url == SCOPE:
            proxy.ask(ROUTES, *names)
        proxy.talk()
    assert proxy.session.state().config_hashes == {
        service_key("ns", name): version for name in names
    }
    proxy.session.concerned()
    return proxy


def test_nothing_is_said_before_the_gateway_is_known() -> None:
    proxy = Proxy()
    proxy.ask(CLUSTER)
    proxy.ask(ROUTES, "users")
    assert proxy.hear() == []
    proxy.session.publish(full("users"))
    assert proxy.hear() == [(RDS, {"users": "1"}, ()), (CDS, {"users": "1"}, ())]


def test_a_name_that_is_not_there_is_answered() -> None:
    proxy = running("users")
    proxy.ask(ROUTES, "nobody")
    assert proxy.hear() == [(RDS, {}, ("nobody",))]
    proxy.ack()
    proxy.session.publish(full("users", "nobody"))
    proxy.ask(ENDPOINTS, "nobody")
    assert (RDS, {"nobody": "1"}, ()) in proxy.talk()


def test_a_type_that_is_not_served_is_answered_as_absent() -> None:
    proxy = running("users")
    proxy.ask("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "cert")
    assert proxy.talk() == [("Secret", {}, ("cert",))]


def test_a_new_service_comes_in_order_and_only_after_answers() -> None:
    proxy = running("users")
    proxy.session.publish(full("users", "new"))
    assert proxy.hear() == [(CDS, {"new": "1"}, ())]
    proxy.ack()
    assert proxy.hear() == []  # its endpoints are missing
    proxy.ask(ENDPOINTS, "new")
    assert proxy.hear() == [(EDS, {"new": "1"}, ())]
    assert proxy.hear() == []
    proxy.ack()
    assert proxy.hear() == [(SRDS, {"new": "1"}, ())]
    proxy.ack()
    assert proxy.session.state().config_hashes.keys() == {USERS}
    proxy.ask(ROUTES, "new")
    assert proxy.talk() == [(RDS, {"new": "1"}, ())]
    assert proxy.session.state().config_hashes == {USERS: "1", service_key("ns", "new"): "1"}
    assert proxy.session.concerned() == {service_key("ns", "new")}


def test_a_table_comes_after_the_routes_of_the_scopes_it_uses() -> None:
    proxy = running("users")
    proxy.session.publish(full("users", "own", "table", stages={"table": 1}))
    proxy.hear()
    proxy.ack()
    proxy.ask(ENDPOINTS, "own", "table")
    proxy.hear()
    proxy.ack()
    assert proxy.hear() == [(SRDS, {"own": "1"}, ())]
    proxy.ack()
    assert proxy.hear() == []
    proxy.ask(ROUTES, "own")
    assert proxy.hear() == [(RDS, {"own": "1"}, ())]
    proxy.ack()
    assert proxy.hear() == [(SRDS, {"table": "1"}, ())]


def test_removal_is_the_reverse() -> None:
    proxy = running("users", "old")
    proxy.session.publish(full("users"))
    assert proxy.hear() == [(SRDS, {}, ("old",))]
    proxy.ask(ROUTES, give_up=("old",))
    proxy.ack()
    assert proxy.hear() == [(CDS, {}, ("old",))]
    proxy.ask(ENDPOINTS, give_up=("old",))
    proxy.ack()
    assert proxy.hear() == []
    assert proxy.session.state().config_hashes == {USERS: "1"}
    assert proxy.session.concerned() == {service_key("ns", "old")}


def test_a_changed_cluster_gets_its_endpoints_again() -> None:
    proxy = running("users")
    changed = {
        **full("users").resources,
        CLUSTER: full("users", version="2").resources[CLUSTER],
    }
    proxy.session.publish(Snapshot(changed, {USERS: "2"}))
    assert proxy.hear() == [(CDS, {"users": "2"}, ()), (EDS, {"users": "1"}, ())]
    proxy.ack()
    assert proxy.talk() == []
    assert proxy.session.state().config_hashes == {USERS: "2"}


def test_endpoints_wait_for_nothing() -> None:
    proxy = running("users")
    proxy.session.publish(full("users", "new"))
    assert proxy.hear() == [(CDS, {"new": "1"}, ())]
    moved = dict(full("users", "new").resources)
    moved[ENDPOINTS] = full("users", "new", version="2").resources[ENDPOINTS]
    proxy.session.publish(Snapshot(moved, {}))
    assert proxy.hear() == [(EDS, {"users": "2"}, ())]


def test_a_version_is_not_overtaken_on_its_way_and_the_newest_follows() -> None:
    proxy = running("users")
    for version in ("2", "3", "4"):
        moved = dict(full("users").resources)
        moved[ENDPOINTS] = full("users", version=version).resources[ENDPOINTS]
        proxy.session.publish(Snapshot(moved, {}))
        assert proxy.hear() == ([(EDS, {"users": "2"}, ())] if version == "2" else [])
    proxy.ack()
    assert proxy.talk() == [(EDS, {"users": "4"}, ())]


def test_a_flow_of_snapshots_does_not_keep_routes_from_being_sent() -> None:
    """Each brings a new cluster, and yet the first service gets its routes."""
    proxy = running("users")
    names = ["users", "first"]
    heard = []
    proxy.session.publish(full(*names))
    for number in range(4):
        heard += proxy.hear()
        names.append(f"later-{number}")
        proxy.session.publish(full(*names))
        proxy.ack()
        if number == 0:
            proxy.ask(ENDPOINTS, "first")
        if number == 2:
            proxy.ask(ROUTES, "first")
    assert heard == [
        (CDS, {"first": "1"}, ()),
        (EDS, {"first": "1"}, ()),
        (SRDS, {"first": "1"}, ()),
        (RDS, {"first": "1"}, ()),
    ]
    later = {f"later-{number}": "1" for number in range(4)}
    assert proxy.hear() == [(CDS, later, ())]


def test_a_newer_snapshot_takes_over_when_nothing_of_it_belongs_before() -> None:
    proxy = running("users")
    proxy.session.publish(full("users", "new"))
    proxy.hear()
    proxy.ask(ENDPOINTS, "new")
    proxy.hear()
    newest = dict(full("users", "new").resources)
    newest[SCOPE] = full("users", "new", version="2").resources[SCOPE]
    proxy.session.publish(Snapshot(newest, {}))
    proxy.ack()
    assert proxy.hear() == [(SRDS, {"users": "2", "new": "2"}, ())]


def test_what_changed_while_a_refused_version_was_on_its_way_is_sent() -> None:
    proxy = running("users")
    for version in ("2", "3"):
        moved = dict(full("users").resources)
        moved[ENDPOINTS] = full("users", version=version).resources[ENDPOINTS]
        moved[ROUTES] = full("users", version=version).resources[ROUTES]
        proxy.session.publish(Snapshot(moved, {USERS: version}))
        assert len(proxy.hear()) == (2 if version == "2" else 0)
    proxy.ack(refuse="not these")
    assert proxy.talk() == [(EDS, {"users": "3"}, ()), (RDS, {"users": "3"}, ())]
    assert proxy.session.state().config_hashes == {USERS: "3"}
    assert proxy.session.state().rejected == {}


def test_what_is_back_is_not_removed() -> None:
    proxy = running("users", "back")
    proxy.session.publish(full("users"))
    assert proxy.hear() == [(SRDS, {}, ("back",))]
    proxy.session.publish(full("users", "back"))
    proxy.ack()
    assert proxy.talk() == [(SRDS, {"back": "1"}, ())]


def test_a_proxy_that_has_much_to_do_is_not_silent() -> None:
    """It takes a response as a whole: 1000 clusters have taken Envoy 7 s on a busy machine."""
    proxy = running("users")
    many = [f"new{number}" for number in range(1000)]
    proxy.session.publish(full("users", *many))
    assert [len(versions) for _, versions, _ in proxy.hear()] == [1000]
    proxy.now = 20
    assert proxy.hear() == []
    proxy.ack()
    proxy.now = 25  # the endpoints have still to be asked for
    assert proxy.hear() == []
    for number, name in enumerate(many, start=1):
        proxy.ask(ENDPOINTS, name)
        proxy.hear()
        proxy.ack()
        if number < len(many):
            proxy.now += PATIENCE - 0.1
    assert {kind for kind, _, _ in proxy.hear()} == {SRDS}


def test_silence_ends_the_waiting(caplog: pytest.LogCaptureFixture) -> None:
    proxy = running("users")
    proxy.session.publish(full("users", "new"))
    assert proxy.hear() == [(CDS, {"new": "1"}, ())]
    end = proxy.session.deadline
    assert end == PATIENCE + 2 * PATIENCE_EACH
    proxy.now = end - 0.01
    assert proxy.hear() == []
    proxy.now = end
    assert proxy.hear() == [(SRDS, {"new": "1"}, ())]
    assert "is silent about 2 resources, such as Cluster 'new': going on" in caplog.text


def test_a_reconnecting_proxy_gets_only_what_differs_in_order() -> None:
    """The first requests come one after another; no cluster goes before the routes are known."""
    proxy = Proxy()
    proxy.session.publish(full("same", "changed", version="2"))
    has = {"same": "2", "changed": "1", "gone": "1"}
    proxy.ask(CLUSTER, has=has)
    assert proxy.hear() == []
    proxy.ask(ENDPOINTS, *has, has=has)
    assert proxy.hear() == [(EDS, {"changed": "2"}, ())]
    proxy.ask(LISTENER, has={"http": "1"})
    proxy.ask(SCOPE, has=has)
    assert proxy.hear() == []
    proxy.ask(ROUTES, *has, has=has)
    assert proxy.hear() == [(CDS, {"changed": "2"}, ())]
    proxy.ack()
    assert proxy.hear() == [(EDS, {"changed": "2"}, ())]
    proxy.ack()
    heard = proxy.talk()
    assert sorted(heard[:2]) == [(RDS, {"changed": "2"}, ()), (SRDS, {"changed": "2"}, ())]
    gone: dict[str, str] = {}
    assert heard[2:] == [
        (SRDS, gone, ("gone",)),
        (RDS, gone, ("gone",)),
        (CDS, gone, ("gone",)),
        (EDS, gone, ("gone",)),
    ]
    assert proxy.session.state().config_hashes == {
        service_key("ns", "same"): "2",
        service_key("ns", "changed"): "2",
    }


def test_a_reconnecting_proxy_that_has_everything_gets_nothing() -> None:
    proxy = Proxy()
    proxy.session.publish(full("users"))
    for type_url in (CLUSTER, LISTENER, SCOPE):
        proxy.ask(type_url, has={"http" if type_url == LISTENER else "users": "1"})
    for type_url in (ENDPOINTS, ROUTES):
        proxy.ask(type_url, "users", has={"users": "1"})
    assert proxy.hear() == []
    assert proxy.session.state().config_hashes == {USERS: "1"}
    assert proxy.session.concerned() == {USERS}


def test_a_refusal_is_quoted_sent_once_and_concerns_its_owner() -> None:
    proxy = running("users", "bad")
    routes = full("users", "bad").resources[ROUTES]
    bad = full("bad", version="2").resources[ROUTES]["bad"]
    resources = {**full("users", "bad").resources, ROUTES: {**routes, "bad": bad}}
    proxy.session.publish(Snapshot(resources, {USERS: "2", service_key("ns", "bad"): "2"}))
    assert proxy.hear() == [(RDS, {"bad": "2"}, ())]
    proxy.ack(refuse="no such thing")
    assert proxy.session.state().rejected == {service_key("ns", "bad"): f"{RDS} bad: no such thing"}
    assert proxy.talk() == []
    assert proxy.session.state().config_hashes == {USERS: "2", service_key("ns", "bad"): "1"}
    assert proxy.session.concerned() == {USERS, service_key("ns", "bad")}
    proxy.session.publish(full("users", "bad"))  # back to what the proxy still has
    assert proxy.talk() == []
    assert proxy.session.state().rejected == {}
    assert proxy.session.state().config_hashes[service_key("ns", "bad")] == "1"
    assert service_key("ns", "bad") in proxy.session.concerned()


def test_of_a_refused_response_each_resource_is_tried_alone() -> None:
    proxy = running("users")
    proxy.session.publish(full("users", "good", "bad"))
    assert proxy.hear() == [(CDS, {"good": "1", "bad": "1"}, ())]
    proxy.ack(refuse="something in there")
    assert proxy.session.state().rejected == {}
    assert proxy.hear() == [(CDS, {"good": "1"}, ()), (CDS, {"bad": "1"}, ())]
    (good, bad), proxy.unanswered = proxy.unanswered, []
    proxy.unanswered = [bad]
    proxy.ack(refuse="this one")
    proxy.unanswered = [good]
    proxy.ack()
    assert proxy.session.state().rejected == {service_key("ns", "bad"): f"{CDS} bad: this one"}
    proxy.ask(ENDPOINTS, "good")
    assert proxy.hear() == [(EDS, {"good": "1"}, ())]
    proxy.ack()
    assert proxy.hear()[0][0] == SRDS  # nothing waits for the refused cluster's endpoints


def test_a_refusal_of_something_shared_concerns_those_that_share_it() -> None:
    """The others are served, whatever is wrong with one of these."""
    one, two, other = service_key("ns", "one"), service_key("ns", "two"), service_key("ns", "other")
    tokens = {one: "1", two: "1", other: "1"}
    made = full("one", "two", "other")
    both = snapshot({ROUTES: {"both": "1"}, SCOPE: {"both": "1"}}, sharers={"both": (one, two)})
    resources = {
        type_url: {**named, **both.resources.get(type_url, {})}
        for type_url, named in made.resources.items()
    }
    proxy = Proxy()
    proxy.session.publish(Snapshot(resources, tokens))
    for type_url in (CLUSTER, LISTENER, SCOPE):
        proxy.ask(type_url)
    proxy.ask(ENDPOINTS, "one", "two", "other")
    proxy.ask(ROUTES, "one", "two", "other")
    proxy.talk()
    proxy.ask(ROUTES, "both")
    assert proxy.hear() == [(RDS, {"both": "1"}, ())]
    proxy.ack(refuse="no such thing")
    proxy.talk()
    state = proxy.session.state()
    words = f"{RDS} both: no such thing"
    assert state.rejected == {one: words, two: words}
    assert state.config_hashes == {other: "1"}


def test_a_refusal_of_what_all_share_holds_every_change_back() -> None:
    proxy = running("users")
    listener = {LISTENER: snapshot({LISTENER: {"http": "2"}}).resources[LISTENER]}
    proxy.session.publish(Snapshot({**full("users").resources, **listener}, {USERS: "2"}))
    proxy.hear()
    proxy.ack(refuse="cannot bind")
    proxy.hear()
    state = proxy.session.state()
    assert state.rejected == {None: f"{LDS} http: cannot bind"}
    assert state.config_hashes == {USERS: "1"}
    assert proxy.session.concerned() == {USERS}


def test_routes_go_one_by_one_and_others_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MAX_BYTES", 3)
    names = ["a", "b", "c", "d", "e"]
    proxy = Proxy()
    proxy.session.publish(full(*names))
    proxy.ask(CLUSTER)
    sizes = [len(versions) for _, versions, _ in proxy.hear()]
    assert sum(sizes) == len(names)
    assert len(sizes) > 1
    proxy.ask(ROUTES, *names)
    assert [versions for _, versions, _ in proxy.hear()] == [{name: "1"} for name in names]


def test_a_client_cannot_ask_for_names_without_end() -> None:
    proxy = Proxy()
    proxy.ask(ROUTES, *map(str, range(MAX_NAMES - 1)))
    with pytest.raises(TooManyNamesError):
        proxy.ask(ROUTES, "one more")


def test_a_withdrawn_gateway_is_left_alone() -> None:
    proxy = running("users")
    proxy.session.publish(None)
    proxy.ask(ROUTES, "other")
    assert proxy.hear() == []
    assert proxy.session.deadline is None
