"""Subscriptions follow the rules of incremental xDS."""

import pytest

from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPE
from grpc_operator.xds.subscription import Rejection, Subscription
from tests.unit.xds.proxy import resource


@pytest.mark.parametrize("type_url", [LISTENER, CLUSTER, SCOPE])
def test_an_empty_first_request_subscribes_to_everything(type_url: str) -> None:
    assert Subscription.first(type_url, [], {}).includes("anything")


@pytest.mark.parametrize("type_url", [ROUTES, ENDPOINTS])
def test_other_types_have_no_legacy_wildcard(type_url: str) -> None:
    assert not Subscription.first(type_url, [], {}).includes("anything")


def test_the_wildcard_can_be_subscribed_to_and_unsubscribed_from() -> None:
    subscription = Subscription.first(CLUSTER, ["*", "named"], {"old": "1", "named": "1"})
    assert subscription.includes("anything")
    assert not subscription.requested
    subscription.unsubscribe(["*"])
    assert not subscription.includes("anything")
    assert subscription.includes("named")
    assert subscription.applied == {"named": "1"}


def test_a_name_is_requested_unless_the_proxy_has_it_already() -> None:
    subscription = Subscription.first(ROUTES, ["has", "lacks"], {"has": "1"})
    assert [*subscription.requested] == ["lacks"]


def test_subscribing_again_is_answered_again() -> None:
    subscription = Subscription.first(ROUTES, ["has"], {"has": "1"})
    subscription.subscribe(["has"])
    assert [*subscription.requested] == ["has"]


def test_unsubscribing_forgets_all_state_of_a_name() -> None:
    subscription = Subscription.first(ROUTES, ["a"], {"a": "1"})
    subscription.rejected["a"] = Rejection("2", "no")
    subscription.in_flight["a"] = "nonce"
    subscription.resend("a")
    subscription.unsubscribe(["a"])
    assert subscription.differing({}) == []
    assert subscription == Subscription()


def test_a_rejected_version_is_not_stale_but_the_next_is() -> None:
    subscription = Subscription.first(ROUTES, ["a"], {"a": "1"})
    subscription.rejected["a"] = Rejection("2", "no")
    assert not subscription.is_stale(resource(ROUTES, "a", "1"))
    assert not subscription.is_stale(resource(ROUTES, "a", "2"))
    assert subscription.is_stale(resource(ROUTES, "a", "3"))


def test_an_answer_to_an_earlier_response_is_ignored() -> None:
    """The name was unsubscribed from and subscribed to again in between."""
    subscription = Subscription.first(ROUTES, ["a"], {})
    subscription.in_flight["a"] = "1"
    subscription.unsubscribe(["a"])
    subscription.subscribe(["a"])
    subscription.in_flight["a"] = "2"
    assert not subscription.acknowledge("a", "1")
    assert subscription.acknowledge("a", "2")


def test_what_is_requested_while_in_flight_is_sent_after_the_answer() -> None:
    subscription = Subscription.first(ROUTES, ["a"], {})
    subscription.requested.clear()
    subscription.in_flight["a"] = "1"
    subscription.resend("a")
    assert not subscription.requested
    assert subscription.acknowledge("a", "1")
    assert [*subscription.requested] == ["a"]
