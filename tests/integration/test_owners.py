"""F1 under load: whatever is missing behind a host, nobody but its owner ever answers there."""

import base64
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    SERVICES,
    Manifest,
    gateway_key,
)
from grpc_service_kit.testing.postgres import free_port
from tests.integration.api import Api
from tests.integration.callers import Callers, callers, echo_server
from tests.integration.conftest import Start
from tests.integration.credentials import Credentials
from tests.integration.data_plane import Client, host_address, wait_status
from tests.integration.data_plane import Proxy as Envoy
from tests.integration.identity import pod_of
from tests.integration.operator_process import OperatorProcess
from tests.integration.pods import Status, ready, waiting
from tests.integration.policies import Policies
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.integration.test_gateway import listener_port
from tests.load.schema import Echo
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

PACKAGE = "load.owned"
DESCRIPTOR = {"inline": base64.b64encode(Echo(PACKAGE).file_set()).decode()}
SAY = "/owned/say/1"
VICTIM, STILLBORN, FREE = "victim.example.com", "stillborn.example.com", "free.example.com"
FINALIZER = "example.com/test"

CALLS = 100_000
EACH = CALLS // 13
"""Calls after each of the faults."""

WRONG = "WRONG_ANSWER"
ERRORS = {"OK", "UNAVAILABLE", "UNIMPLEMENTED", "HTTP 404", "HTTP 503"}


class World:
    """Two namespaces at one gateway: a victim with a host, and a bystander with every host."""

    def __init__(
        self, spaces: tuple[Space, Space], start: Start, proxies: tuple[Proxy, Proxy]
    ) -> None:
        self.space, self.other = spaces
        self.port, self.xds_port = listener_port(), free_port()
        self.client = Client(self.port)
        self.victim_port = 0
        self._start, self._proxies = start, proxies
        self.leader = self.operator(0)
        self.leader.wait_lease()
        self.follower = self.operator(1, xds_port=self.xds_port)
        self.follower.wait_ready()

    def operator(self, number: int, **settings: object) -> OperatorProcess:
        """Starts an operator for both namespaces; the proxy is connected to number 1."""
        shared = {
            "watch_namespaces": f"{self.space.name},{self.other.name}",
            # The same in the bootstrap of the proxies, whoever leads: another one replaces the pod.
            "xds_address": "localhost:18000",
        }
        return self._start(self._proxies[number], **shared, **settings)

    def restart_follower(self) -> None:
        """Replaces the operator that the proxy is connected to by one that remembers nothing."""
        self.follower.kill()
        self.follower = self.operator(1, xds_port=self.xds_port)
        self.follower.wait_ready()

    def gateway(self) -> None:
        """Makes the GrpcGateway."""
        allowed = {"from": "All"}
        listeners = [{"name": "http", "port": self.port, "allowedNamespaces": allowed}]
        every = {"hostname": "*", "namespaces": [self.other.name]}
        self.space.gateway(listeners=listeners, hostnames=[every])

    def victim(self, **gateway: Any) -> None:
        """Makes the service on a host of its own; entries are added to its spec.gateway."""
        self.service(self.space, "victim", self.victim_port, hostnames=[VICTIM], **gateway)

    def service(self, space: Space, name: str, port: int, **gateway: Any) -> None:
        """Makes a GrpcService with the Echo service."""
        gateway = {"gatewayRef": {"name": "default", "namespace": self.space.name}, **gateway}
        space.apply(name, replicas=1, port=port, descriptor=DESCRIPTOR, gateway=gateway)


@pytest.fixture
def world(
    api: Api, space: Space, start: Start, make_proxy: Any, credentials: Credentials
) -> Iterator[World]:
    """Two operators at work, and everything that they need."""
    other = Space.create(api)
    admission = [Policies(api, each.name) for each in (space, other)]
    for each, policies in zip((space, other), admission, strict=True):
        each.kubelet.pod_ip = host_address(credentials.server)
        policies.publish_pods_without_a_node()
    made = World((space, other), start, (make_proxy(), make_proxy()))
    made.gateway()
    gateway = gateway_key(space.name, "default")
    envoy = Envoy(made.xds_port, api, gateway, pod_of(api, gateway))
    yield made
    envoy.stop()
    # Otherwise it would stay, and with it the CRD that a test deletes.
    space.edit(GRPC_SERVICES, "victim", {"metadata": {"finalizers": None}})
    for policies in admission:
        policies.close()
    other.close()


def test_nobody_else_answers(world: World, tmp_path: Path) -> None:
    """Over 100,000 calls, by gRPC and REST, while one thing after the other is missing."""
    loads = [
        {"name": f"{host} {protocol}", "host": host, "instance": host.partition(".")[0]}
        | {"operation": "say", "package": PACKAGE, "protocol": protocol, "calls": 1}
        | {"workers": workers, "connections": 2, "timeout": 20}
        for host, protocol, workers in (
            (VICTIM, "grpc", 24),
            (VICTIM, "rest-get", 4),
            (STILLBORN, "grpc", 4),
        )
    ]
    with (
        echo_server(PACKAGE, "victim") as mine,
        echo_server(PACKAGE, "bystander") as theirs,
    ):
        prepare(world, mine, theirs)
        with callers(world.port, loads, tmp_path) as running:
            running.wait_for(EACH)
            while_the_descriptor_is_missing(world, running)
            while_the_spec_is_wrong(world, running)
            while_what_it_owns_is_missing(world, running)
            while_it_is_deleted(world, running)
            while_there_is_no_gateway(world, running)
            running.wait_for(max(0, CALLS - running.calls()))
            statuses = running.stop()
    print(statuses)  # noqa: T201 - figures of the run

    assert sum(sum(each.values()) for each in statuses.values()) >= CALLS
    assert {name: each.get(WRONG, 0) for name, each in statuses.items()} == dict.fromkeys(
        statuses, 0
    )
    assert set().union(*statuses.values()) <= ERRORS, statuses
    assert statuses[f"{VICTIM} grpc"]["OK"] > EACH


def prepare(world: World, mine: int, theirs: int) -> None:
    """Makes the services: the bystander answers on every host that nobody has."""
    world.space.kubelet.answer = image_never_starts
    world.victim_port = mine
    world.victim()
    world.service(world.space, "stillborn", 1, hostnames=[STILLBORN])
    wait_until(lambda: '"victim"' in says(world, VICTIM), "the victim has its host")
    wait_status(world.client, 503, SAY, host=STILLBORN)
    world.service(world.other, "bystander", theirs, hostnames=["*"])
    assert '"bystander"' in wait_status(world.client, 200, SAY, host=FREE).body


def image_never_starts(pod: Manifest) -> Status | None:
    """Of the stillborn."""
    if pod["metadata"]["name"].startswith("stillborn-"):
        return waiting("ImagePullBackOff", "no such image")(pod)
    return ready(pod)


def while_the_descriptor_is_missing(world: World, running: Callers) -> None:
    """With a leader that makes it again, with a frozen one, and with an operator that forgot it."""
    space, name = world.space, "victim-grpc-descriptor"
    for _ in range(3):
        uid = space.get(CONFIG_MAPS, name)["metadata"]["uid"]
        space.delete(CONFIG_MAPS, name)
        wait_until(partial(_is_new, space, name, uid), "the leader has made it again")
    world.leader.signal(signal.SIGSTOP)
    space.delete(CONFIG_MAPS, name)
    running.wait_for(EACH)
    space.delete(SERVICES, "victim-headless")
    running.wait_for(EACH)
    world.restart_follower()
    running.wait_for(EACH)
    world.leader.kill()
    world.leader = world.operator(0)
    world.leader.wait_ready()
    wait_until(lambda: space.api.get(CONFIG_MAPS, space.name, name), "it is made again")
    wait_status(world.client, 200, SAY, host=VICTIM)


def while_the_spec_is_wrong(world: World, running: Callers) -> None:
    """The last good one stays."""
    policy = {"service": f"{PACKAGE}.Echo", "method": "Missing", "timeouts": {"request": "5s"}}
    world.victim(methods=[policy])
    world.space.wait_condition("Accepted", "False", "victim")
    running.wait_for(EACH)
    world.victim(gatewayRef={"name": "missing"})
    found = world.space.wait_condition("ResolvedRefs", "False", "victim")
    assert f"GrpcGateway {world.space.name}/default serves it until then" in found["message"]
    running.wait_for(EACH)
    assert '"victim"' in says(world, VICTIM)
    world.victim()
    world.space.wait_condition("ResolvedRefs", "True", "victim")


def while_what_it_owns_is_missing(world: World, running: Callers) -> None:
    """Deployment, Services and pods."""
    space = world.space
    space.delete(DEPLOYMENTS, "victim")
    space.delete(SERVICES, "victim-headless")
    space.delete(SERVICES, "victim")
    running.wait_for(EACH)
    space.edit(GRPC_SERVICES, "victim", {"spec": {"replicas": 0}})
    wait_status(world.client, 503, SAY, host=VICTIM)
    running.wait_for(EACH)
    space.edit(GRPC_SERVICES, "victim", {"spec": {"replicas": 1}})
    wait_status(world.client, 200, SAY, host=VICTIM)


def while_it_is_deleted(world: World, running: Callers) -> None:
    """In the foreground, which takes what it owns first; also after a restart."""
    space = world.space
    space.edit(GRPC_SERVICES, "victim", {"metadata": {"finalizers": [FINALIZER]}})
    space.delete(GRPC_SERVICES, "victim", "Foreground")
    gone = "victim-grpc-descriptor"
    wait_until(
        lambda: space.api.get(CONFIG_MAPS, space.name, gone) is None, "its ConfigMap is gone"
    )
    running.wait_for(EACH)
    world.restart_follower()
    running.wait_for(EACH)


def while_there_is_no_gateway(world: World, running: Callers) -> None:
    """Its proxies keep what they have."""
    world.space.delete(GRPC_GATEWAYS, "default")
    running.wait_for(EACH)
    world.gateway()
    world.other.wait_condition("ResolvedRefs", "True", "bystander")
    running.wait_for(EACH)
    assert '"bystander"' in says(world, FREE)


def says(world: World, host: str) -> str:
    """Returns what a host answers."""
    return world.client.rest("GET", SAY, host=host).body


def _is_new(space: Space, name: str, uid: str) -> bool:
    live = space.api.get(CONFIG_MAPS, space.name, name)
    return live is not None and live["metadata"]["uid"] != uid
