"""The condition Programmed, from what the proxies hold and refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.reconcile.programmed import Outcome, Programmed, Proxy
from grpc_operator.resources import Key, service_key
from tests.unit.controlplane.test_control_plane import Published, built, control_plane
from tests.unit.reconcile import GATEWAY, USERS, cluster, users

SERVICE = users(replicas=0)


@dataclass
class Connected:
    """A proxy that is connected."""

    config_hashes: Mapping[Key, str]
    rejected: Mapping[Key | None, str] = field(default_factory=dict)
    node: str = "envoy-0"

    async def of(self, gateway: Key, service: Key) -> Sequence[Proxy]:
        """Returns itself: the only proxy there is."""
        assert (gateway, service) == (GATEWAY, USERS)
        return [self]


async def check(
    refused: Mapping[Key | None, str], *, served: bool, times: int = 1
) -> list[Outcome]:
    """Checks a service of which a proxy serves the newest version, or an older one."""
    store = cluster(SERVICE)
    changed: list[Key] = []
    plane = control_plane(store, Published(), changed)
    plane.mark_all_dirty()
    await plane.build()
    state = built(plane, USERS)
    assert state.config_hash is not None
    proxies = Connected({USERS: state.config_hash if served else "older"}, refused)
    service = GrpcService.parse(SERVICE)
    programmed, gateway = Programmed(store, proxies), plane.gateway(GATEWAY)
    return [await programmed.check(USERS, service, state, gateway) for _ in range(times)]


@pytest.mark.parametrize("owner", [None, USERS])
async def test_what_is_served_as_asked_is_programmed(owner: Key | None) -> None:
    """Somebody else has made the proxy refuse a table that this service is in as well."""
    (outcome,) = await check({owner: "no such thing"}, served=True)

    assert (outcome.verdict.status, outcome.verdict.reason) == ("True", "Programmed")


@pytest.mark.parametrize("owner", [None, USERS])
async def test_what_keeps_it_from_being_served_is_reported(owner: Key | None) -> None:
    """In the proxy's own words."""
    (outcome,) = await check({owner: "no such thing"}, served=False)

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "RejectedByProxy")
    assert outcome.verdict.message == "Proxy envoy-0 rejected it: no such thing"


async def test_a_refusal_of_another_service_is_not_reported() -> None:
    """This one is merely on its way."""
    (outcome,) = await check({service_key("shop", "other"): "no such thing"}, served=False)

    assert (outcome.verdict.status, outcome.verdict.reason) == ("False", "Pending")


async def test_a_gateway_without_a_listener_to_call_is_not_asked_for_ever() -> None:
    """It may have TLS listeners only: each check costs, and there may be a thousand services."""
    outcomes = await check({}, served=True, times=5)

    assert [outcome.verdict.status for outcome in outcomes] == ["True"] * 5
    assert "not tried through a proxy" in outcomes[-1].verdict.message
    assert [outcome.requeue_after is None for outcome in outcomes] == [False] * 4 + [True]
