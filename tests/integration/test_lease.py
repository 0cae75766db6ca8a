"""Two replicas: one writes, the other is warm and takes over."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from grpc_operator.resources import SERVICES
from tests.integration.conftest import Start
from tests.integration.faults import Fault
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.integration.waiting import wait_until

pytestmark = pytest.mark.cluster

SHORT = 5
"""Lease duration in seconds where the default is not the point."""


@dataclass
class Pair:
    """The replica that holds the Lease, and the one that waits for it."""

    holder: OperatorProcess
    standby: OperatorProcess
    holder_proxy: Proxy
    standby_proxy: Proxy


MakePair = Callable[..., Pair]


@pytest.fixture
def make_pair(start: Start, make_proxy: Callable[[], Proxy], space: Space) -> MakePair:
    """Starts both and brings an object to Ready."""

    def make(**settings: object) -> Pair:
        proxies = make_proxy(), make_proxy()
        holder = start(proxies[0], **settings)
        holder.wait_lease()
        standby = start(proxies[1], **settings)
        standby.wait_ready()
        space.apply()
        space.wait_ready()
        return Pair(holder, standby, *proxies)

    return make


def repaired(space: Space) -> bool:
    """Whether the Service that was deleted is back."""
    return bool(space.get(SERVICES, "users"))


def test_only_the_holder_writes(make_pair: MakePair, space: Space) -> None:
    """The standby is ready, follows everything, and sends no write."""
    pair = make_pair()
    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), 2, "the Service is back")
    assert pair.holder_proxy.writes()
    assert pair.standby_proxy.writes() == []
    assert pair.standby.readyz() == (200, "ok\n")


def test_a_killed_holder_is_replaced_within_fifteen_seconds(
    make_pair: MakePair, space: Space
) -> None:
    """With default settings, from SIGKILL to a repair by the other replica."""
    pair = make_pair()
    pair.holder.signal(signal.SIGKILL)
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), 15, "the other replica has repaired the Service")


def test_a_stopped_holder_is_replaced_within_two_seconds(make_pair: MakePair, space: Space) -> None:
    """From SIGTERM: the holder gives the Lease up and ends with exit code 0."""
    pair = make_pair()
    pair.holder.signal(signal.SIGTERM)
    wait_until(
        lambda: pair.standby.metric("grpc_operator_lease_held") == 1, 2, "the other has taken over"
    )
    assert pair.holder.wait(3) == 0
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), 2, "the Service is back")


def test_a_holder_that_was_paused_past_its_lease_writes_nothing_more(
    make_pair: MakePair, space: Space
) -> None:
    """It wakes up with work to do, notices that it lost the Lease, and ends with exit code 1."""
    pair = make_pair(lease_duration_seconds=SHORT)
    pair.holder.signal(signal.SIGSTOP)
    before = len(pair.holder_proxy.calls)
    wait_until(
        lambda: pair.standby.metric("grpc_operator_lease_held") == 1, 15, "the other took over"
    )
    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    pair.holder.signal(signal.SIGCONT)
    assert pair.holder.wait(10) == 1
    assert pair.holder_proxy.writes(before) == []


def test_a_holder_that_is_cut_off_stops_before_the_other_starts(
    make_pair: MakePair, space: Space
) -> None:
    """It tries to write to the end of its Lease, and never while the other holds it."""
    pair = make_pair(lease_duration_seconds=SHORT)
    refused = Fault(503, lambda call: call.is_write, times=1000)
    pair.holder_proxy.faults.append(refused)
    space.delete(SERVICES, "users")
    wait_until(lambda: refused.taken, 5, "the holder tries to repair")
    pair.holder_proxy.cut_off()
    wait_until(lambda: repaired(space), 15, "the other replica has repaired the Service")
    assert pair.holder.wait(5) == 1
    last = max(call.at for call in pair.holder_proxy.writes())
    first = min(call.at for call in pair.standby_proxy.writes())
    assert last < first
