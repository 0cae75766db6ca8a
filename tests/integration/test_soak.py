"""Nothing is lost, doubled or misrouted, and Ready is true only while calls succeed, under faults.

``make soak ARGS="SOAK_SECONDS=1800 SOAK_SEED=7"`` goes on for longer, with other faults.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration import policies
from tests.integration.conftest import Start
from tests.integration.credentials import Credentials
from tests.integration.data_plane import host_address
from tests.integration.proxy import Proxy
from tests.integration.soak import SERVICES, Soak
from tests.integration.soak_faults import Faults
from tests.integration.space import Space
from tests.waiting import holds_for, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(7200)]

SECONDS = float(os.environ.get("SOAK_SECONDS", "180"))
SEED = int(os.environ.get("SOAK_SEED", "1"))


@pytest.fixture
def soak(
    space: Space,
    start: Start,
    make_proxy: Callable[[], Proxy],
    tmp_path: Path,
    credentials: Credentials,
) -> Iterator[Soak]:
    """Everything at work, and called."""
    space.kubelet.pod_ip = host_address(credentials.server)
    admission = policies.Policies(space.api, space.name)
    admission.publish_pods_without_a_node()
    made = Soak(space, start, make_proxy, tmp_path, SEED)
    try:
        made.begin()
        yield made
    finally:
        made.end()
        admission.close()


def test_a_proxy_that_misses_a_rollout_is_named(soak: Soak) -> None:
    """Half of the calls fail once the old pods are gone: Ready says so, and why, and recovers."""
    soak.services[1].cut_off()
    node = soak.envoys[1].node
    holds_for(lambda: _ready(soak, "one") == "True", 5, "nothing has changed that it could miss")
    soak.roll_out("one", drain=0)

    soak.space.wait_condition("Ready", "False", "one")
    said = wait_until(
        lambda: (
            (c := soak.space.wait_condition("Programmed", "False", "one"))["reason"]
            == "WaitingForProxies"
            and c
        ),
        "the proxy is named",
    )
    soak.reap()
    assert f"1 of 2 proxies of GrpcGateway {soak.space.name}/default serve" in said["message"]
    assert f"{node} is behind since" in said["message"]
    assert "not connected to the operator" in said["message"]
    assert soak.space.live("one")["status"]["proxies"]["behind"] == [node]
    assert _ready(soak, "two") == "True"
    soak.services[1].cut = False
    soak.space.wait_ready("one")
    assert soak.space.live("one")["status"]["proxies"] == {"ready": 2, "serving": 2}
    soak.calls.stop()


def test_an_operator_that_hangs_is_left(soak: Soak) -> None:
    """Its proxies find another one before the old pods have drained, and no call fails."""
    hanging = soak.replicas[0]
    for service in soak.services:  # both proxies are at the one that will hang
        service.ready = {(hanging.address, soak.xds_port)}
        service.cut_off()
        service.cut = False
    wait_until(lambda: _connected(hanging.process.metrics_text()) == 2, "both are connected to it")
    for service in soak.services:
        service.ready = {(each.address, soak.xds_port) for each in soak.replicas}
    hanging.process.signal(signal.SIGSTOP)

    soak.roll_out("one")
    other = soak.replicas[1].process
    wait_until(lambda: _connected(other.metrics_text()) == 2, "both have found the other one")
    hanging.process.signal(signal.SIGCONT)
    time.sleep(1)
    soak.space.wait_ready("one")
    soak.calls.stop()
    assert [str(call) for call in soak.unexcused()] == []


def test_faults_at_random(soak: Soak) -> None:
    """Every call has an id; the servers' files tell which they have seen, and how often."""
    faults, until = Faults(soak), time.monotonic() + SECONDS
    while time.monotonic() < until:
        name = soak.random.choice(sorted(faults.every))
        soak.note(name)
        faults.every[name]()
        time.sleep(soak.random.uniform(1, 5))
        soak.reap()
    for service in SERVICES:
        soak.space.wait_ready(service)
    soak.calls.stop()

    report = soak.report()
    print(report)  # noqa: T201 - the result of a soak
    assert soak.calls.wrong_writes() == {"lost": 0, "doubled": 0, "misrouted": 0}, report
    assert soak.calls.misrouted() == [], report
    assert soak.unexcused() == [], report
    assert soak.untold() == [], report


def _ready(soak: Soak, name: str) -> str:
    return soak.seen[name][-1].ready if soak.seen[name] else "True"


def _connected(metrics: str) -> float:
    lines = (line.split() for line in metrics.splitlines())
    return next(float(line[1]) for line in lines if line[:1] == ["grpc_operator_xds_proxies"])
