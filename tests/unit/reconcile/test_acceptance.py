"""The leader accepts what services get: once, in an order, and never by accident."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.controlplane.attachment_state import Attached, Built
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.gateway.claims import Served, items
from grpc_operator.reconcile.acceptance import Accepting
from grpc_operator.resources import Key
from tests.unit.gateway import USERS as DESCRIPTOR
from tests.unit.gateway import attached
from tests.unit.reconcile import GATEWAY, users

NOW = 1_800_000_000.5
"""2027-01-15T08:00:00.500000Z"""


class Plane:
    """A control plane that knows when something was accepted last."""

    latest = ""

    def latest_acceptance(self, gateway: Key) -> str:
        """Returns it."""
        assert gateway == GATEWAY
        return self.latest


def built(*hosts: str, generation: int = 1, **changes: Any) -> Built:
    """Returns a service that has these hosts."""
    attachment = attached({"hostnames": list(hosts)})
    made = Attached(generation, GATEWAY, attachment, DESCRIPTOR.summary)
    served = Served.of(attachment, hosts, items(attachment))
    return Built(replace(made, **changes), served=served)


def claims(accepting: Accepting, built_: Built | None, status: dict[str, Any], **spec: Any) -> Any:
    """Returns the claims of a service."""
    return accepting.claims(GrpcService.parse(users(**spec)), status, built_)


def test_what_stays_is_not_written_again() -> None:
    """The steady state costs no writes."""
    plane = Plane()
    accepting = Accepting(plane, lambda: NOW)
    first = claims(accepting, built("a.com"), {})
    plane.latest = first["groups"][0]["since"]

    assert plane.latest == "2027-01-15T08:00:00.500000Z"
    assert claims(accepting, built("a.com"), {"claims": first}) == first


def test_time_goes_on_whatever_the_clocks_say() -> None:
    """A new leader's clock may be late; two acceptances never have the same time."""
    plane = Plane()
    plane.latest = "2027-01-16T00:00:00.999999Z"
    late = Accepting(plane, lambda: NOW)
    times = [claims(late, built("a.com"), {})["groups"][0]["since"] for _ in range(2)]

    assert times == ["2027-01-16T00:00:01.000000Z", "2027-01-16T00:00:01.000001Z"]


def test_nothing_is_given_up_before_the_edit_is_built() -> None:
    """Nor while the gateway is unknown."""
    accepting = Accepting(Plane(), lambda: NOW)
    known = {"claims": claims(accepting, built("a.com"), {})}

    assert claims(accepting, built("b.com"), known, generation=2) == known["claims"]
    assert claims(accepting, None, known) == known["claims"]
    assert claims(accepting, replace(built("a.com"), served=None), known) == known["claims"]
    edited = claims(accepting, built("b.com", generation=2), known, generation=2)
    assert [each["hostnames"] for each in edited["groups"] if "hostnames" in each] == [["b.com"]]


@pytest.mark.parametrize(
    "why", [{"descriptor": None}, {"invalid": InvalidSpecError([Problem("spec", "is too large")])}]
)
def test_what_a_service_offers_is_not_given_up_while_it_is_not_served(why: dict[str, Any]) -> None:
    """After a restart without the descriptor, or over a budget, only the hosts are held."""
    accepting = Accepting(Plane(), lambda: NOW)
    known = {"claims": claims(accepting, built("a.com"), {})}
    unknown = built("a.com", **why)
    served = Served.of(attached({"hostnames": ["a.com"]}), ["a.com"], ())
    unknown = replace(unknown, served=served)

    assert claims(accepting, unknown, known) == known["claims"]


def test_a_service_without_a_gateway_has_no_claims() -> None:
    """It gives up what it had."""
    accepting = Accepting(Plane(), lambda: NOW)
    manifest = users()
    del manifest["spec"]["gateway"]
    known = {"claims": claims(accepting, built("a.com"), {})}

    assert accepting.claims(GrpcService.parse(manifest), known, None) is None


def test_another_gateway_begins_with_nothing() -> None:
    """Whatever was accepted at the one before."""
    accepting = Accepting(Plane(), lambda: NOW)
    other = GATEWAY._replace(name="other")
    before = Acceptance.read({"claims": claims(accepting, built("a.com"), {})}, GATEWAY)
    moved = claims(accepting, built("a.com"), {"claims": before.wire(other)})

    assert moved["gateway"] == GATEWAY.namespaced_name
    (group,) = moved["groups"]
    assert group["since"] > before.latest
