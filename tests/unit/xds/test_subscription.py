"""Subscriptions follow the rules of incremental xDS."""

import pytest

from grpc_operator.gateway.snapshot import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPE
from grpc_operator.xds.subscription import Rejection, Subscription
from tests.unit.xds.proxy import resource


@pytest.mark.parametrize("type_url", [LISTENER, CLUSTER, SCOPE])
def test_an_empty_first_request_asks_for_everything(type_url: str) -> None:
    assert Subscription.first(type_url, [], {}).wants("anything")


@pytest.mark.parametrize("type_url", [ROUTES, ENDPOINTS])
def test_other_types_have_no_legacy_wildcard(type_url: str) -> None:
    assert not Subscription.first(type_url, [], {}).wants("anything")


def test_the_wildcard_can_be_asked_for_and_given_up() -> None:
    subscription = Subscription.first(CLUSTER, ["*", "named"], {"old": "1", "named": "1"})
    assert subscription.wants("anything")
    assert not subscription.urgent
    subscription.unsubscribe(["*"])
    assert not subscription.wants("anything")
    assert subscription.wants("named")
    assert subscription.held == {"named": "1"}


def test_a_name_is_urgent_unless_the_proxy_has_it_already() -> None:
    subscription = Subscription.first(ROUTES, ["has", "lacks"], {"has": "1"})
    assert [*subscription.urgent] == ["lacks"]


def test_asking_again_is_answered_again() -> None:
    subscription = Subscription.first(ROUTES, ["has"], {"has": "1"})
    subscription.subscribe(["has"])
    assert [*subscription.urgent] == ["has"]


def test_giving_a_name_up_forgets_all_about_it() -> None:
    subscription = Subscription.first(ROUTES, ["a"], {"a": "1"})
    subscription.rejected["a"] = Rejection("2", "no")
    subscription.flying["a"] = "nonce"
    subscription.resend("a")
    subscription.unsubscribe(["a"])
    assert subscription == Subscription()


def test_a_refused_version_is_not_stale_but_the_next_is() -> None:
    subscription = Subscription.first(ROUTES, ["a"], {"a": "1"})
    subscription.rejected["a"] = Rejection("2", "no")
    assert not subscription.stale(resource(ROUTES, "a", "1"))
    assert not subscription.stale(resource(ROUTES, "a", "2"))
    assert subscription.stale(resource(ROUTES, "a", "3"))


def test_an_answer_to_an_earlier_flight_is_ignored() -> None:
    """The name was given up and asked for again in between."""
    subscription = Subscription.first(ROUTES, ["a"], {})
    subscription.flying["a"] = "1"
    subscription.unsubscribe(["a"])
    subscription.subscribe(["a"])
    subscription.flying["a"] = "2"
    assert not subscription.land("a", "1")
    assert subscription.land("a", "2")


def test_what_was_asked_for_during_a_flight_is_sent_after_it() -> None:
    subscription = Subscription.first(ROUTES, ["a"], {})
    subscription.urgent.clear()
    subscription.flying["a"] = "1"
    subscription.resend("a")
    assert not subscription.urgent
    assert subscription.land("a", "1")
    assert [*subscription.urgent] == ["a"]
