"""Two replicas: one writes, the other is warm and takes over."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from grpc_operator.resources import LEASES, SERVICES
from grpc_operator.settings import Settings
from tests.integration.conftest import Start
from tests.integration.faults import Fault
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

LONGEST = 300
"""Lease duration in seconds that no test waits for."""


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
    wait_until(lambda: repaired(space), "the Service is back")
    assert pair.holder_proxy.writes()
    assert pair.standby_proxy.writes() == []
    assert pair.standby.readyz() == (200, "ok\n")


def times(space: Space) -> tuple[datetime, datetime]:
    """Returns when the Lease was acquired and when it was renewed last, by the holder's clock."""
    (lease,) = space.api.list(LEASES, space.name)
    acquired, renewed = (lease["spec"][field] for field in ("acquireTime", "renewTime"))
    return datetime.fromisoformat(acquired), datetime.fromisoformat(renewed)


def test_a_killed_holder_is_replaced_when_its_lease_has_ended(
    make_pair: MakePair, space: Space
) -> None:
    """The other replica repairs, and not before the holder would have stopped writing by itself."""
    pair = make_pair()
    pair.holder.kill()
    _, renewed = times(space)
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), "the other replica has repaired the Service")
    acquired, _ = times(space)
    duration = Settings.model_fields["lease_duration_seconds"].default
    assert acquired - renewed >= timedelta(seconds=duration) * 2 / 3


def test_a_stopped_holder_is_replaced_before_its_lease_ends(
    make_pair: MakePair, space: Space
) -> None:
    """From SIGTERM: the holder gives the Lease up and ends with exit code 0."""
    pair = make_pair(lease_duration_seconds=LONGEST)
    pair.holder.signal(signal.SIGTERM)
    wait_until(
        lambda: pair.standby.metric("grpc_operator_lease_held") == 1, "the other has taken over"
    )
    assert pair.holder.wait() == 0
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), "the Service is back")


def test_a_holder_that_was_paused_past_its_lease_writes_nothing_more(
    make_pair: MakePair, space: Space
) -> None:
    """It wakes up with work to do, notices that it lost the Lease, and ends with exit code 1."""
    pair = make_pair()
    pair.holder.signal(signal.SIGSTOP)
    before = len(pair.holder_proxy.calls)
    wait_until(lambda: pair.standby.metric("grpc_operator_lease_held") == 1, "the other took over")
    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    pair.holder.signal(signal.SIGCONT)
    assert pair.holder.wait() == 1
    assert pair.holder_proxy.writes(before) == []


def test_a_holder_that_is_cut_off_stops_before_the_other_starts(
    make_pair: MakePair, space: Space
) -> None:
    """It tries to write to the end of its Lease, and never while the other holds it."""
    pair = make_pair(lease_duration_seconds=30)  # a request may be on its way for 10 s
    refused = Fault(503, lambda call: call.is_write, times=1000)
    pair.holder_proxy.faults.append(refused)
    space.delete(SERVICES, "users")
    wait_until(lambda: refused.taken, "the holder tries to repair")
    pair.holder_proxy.cut_off()
    wait_until(lambda: repaired(space), "the other replica has repaired the Service")
    assert pair.holder.wait() == 1
    last = max(call.at for call in pair.holder_proxy.writes())
    first = min(call.at for call in pair.standby_proxy.writes())
    assert last < first
