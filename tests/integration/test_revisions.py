"""What every replica serves is what ``status.revisions`` says: the leader says it nowhere else."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from grpc_operator import labels, names
from grpc_operator.api import GrpcService
from grpc_operator.desired.service import descriptor_config_map, headless_service
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    GRPC_SERVICES,
    Manifest,
    gateway_key,
)
from grpc_service_kit.testing.postgres import free_port
from tests.integration import policies
from tests.integration.conftest import Start
from tests.integration.data_plane import Proxy as Envoy
from tests.integration.identity import pod_of
from tests.integration.pods import Status, ready
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.integration.test_gateway import listener_port
from tests.integration.test_xds_identity import DESCRIPTOR
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

STABLE, CANDIDATE = "users", "users-7f3a9c2e"
ADDRESSES = {STABLE: "198.18.0.1", CANDIDATE: "198.18.0.2"}


@dataclass
class World:
    """A standby, an Envoy that is connected to it, and a leader that no longer writes."""

    space: Space
    standby: Proxy
    envoy: Envoy

    def cluster(self, revision: str) -> str:
        """Returns the name of a revision's Envoy cluster."""
        digest = names.revision_digest(STABLE, revision)
        return f"{self.space.name}/{STABLE}" + (f"@{digest}" if digest else "")

    def put_status(self, *revisions: Manifest) -> None:
        """Writes what the leader would write."""
        status = {"status": {"revisions": [*revisions]}}
        self.space.api.patch(GRPC_SERVICES, self.space.name, STABLE, status, sub="/status")

    def put_candidate(self) -> None:
        """Makes what the leader would make of another pod template."""
        api, service = self.space.api, GrpcService.parse({**self.space.live(), "status": {}})
        stable = self.space.deployment()
        selector = labels.revision_selector(STABLE, CANDIDATE)
        template = json.loads(json.dumps(stable["spec"]["template"]))
        template["metadata"]["labels"] |= selector
        template["spec"]["containers"][0]["image"] = "user-service:0.2.0"
        metadata = {name: stable["metadata"][name] for name in ("namespace", "ownerReferences")}
        spec = {"replicas": 1, "selector": {"matchLabels": selector}, "template": template}
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}
        given = metadata | {"name": CANDIDATE, "labels": labels.of_service(STABLE)}
        api.apply({**deployment, "metadata": given})
        for revision in (STABLE, CANDIDATE):
            made = headless_service.build(service)
            made["metadata"]["name"] = names.revision_service(STABLE, revision)
            made["spec"]["selector"] = labels.revision_selector(STABLE, revision)
            api.apply(made)

    def pin_candidate(self) -> None:
        """Pins the descriptor of the candidate: that of the stable one."""
        live = descriptor_config_map.read(
            self.space.get(CONFIG_MAPS, names.descriptor_config_map(STABLE))
        )
        assert live is not None
        service = GrpcService.parse({**self.space.live(), "status": {}})
        pinned = Pinned(live.data, "Inline", "of-the-candidate")
        self.space.api.apply(descriptor_config_map.build(service, pinned, CANDIDATE))

    @property
    def is_live(self) -> bool:
        """Whether the proxy has started."""
        try:
            return self.envoy.admin("/ready") == "LIVE\n"
        except OSError:
            return False

    def weights(self) -> dict[str, int]:
        """Returns the shares of the clusters in the routes of the proxy, once it has any."""
        dump = json.loads(self.envoy.admin("/config_dump?resource=dynamic_route_configs"))
        routes = [route for each in _dicts(dump) if "route" in each and (route := each["route"])]
        split = [each["weighted_clusters"]["clusters"] for each in routes if _is_split(each)]
        if split:
            return {each["name"]: each["weight"] for each in split[0] if each.get("weight")}
        alone = {
            each["cluster"]
            for each in routes
            if str(each.get("cluster")).startswith(f"{self.space.name}/")
        }
        return dict.fromkeys(alone, 100)

    def addresses(self) -> dict[str, set[str]]:
        """Returns where the clusters of the proxy lead to."""
        found = json.loads(self.envoy.admin("/clusters?format=json"))["cluster_statuses"]
        return {
            each["name"]: {
                host["address"]["socket_address"]["address"]
                for host in each.get("host_statuses") or ()
            }
            for each in found
            if each["name"].startswith(f"{self.space.name}/")
        }


def _is_split(route: Any) -> bool:
    return isinstance(route, dict) and "weighted_clusters" in route


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Yields every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _dicts(each)
    if isinstance(value, list):
        for each in value:
            yield from _dicts(each)


def _with_address(pod: Manifest) -> Status:
    """Returns the status of a pod with the address of its revision."""
    revision = (pod["metadata"].get("labels") or {}).get(labels.REVISION, STABLE)
    address = ADDRESSES[revision]
    return ready(pod) | {"podIP": address, "podIPs": [{"ip": address}]}


def split(percent: int) -> tuple[Manifest, Manifest]:
    """Returns the revisions of a canary."""
    return (
        {"name": CANDIDATE, "role": "Candidate", "percent": percent},
        {"name": STABLE, "role": "Stable", "percent": 100 - percent},
    )


@pytest.fixture
def world(space: Space, start: Start, make_proxy: Any) -> Iterator[World]:
    """A service that is served, and whose leader has then stopped."""
    space.kubelet.answer = _with_address
    admission = policies.Policies(space.api, space.name)
    admission.publish_pods_without_a_node()
    port, proxies = free_port(), (make_proxy(), make_proxy())
    leader = start(proxies[0], lease_duration_seconds=300)
    leader.wait_lease()
    standby = start(proxies[1], lease_duration_seconds=300, xds_port=port)
    standby.wait_ready()
    space.gateway(listeners=[{"name": "http", "port": listener_port()}])
    gateway = {"hostnames": ["*"]}
    space.apply(replicas=1, gateway=gateway, descriptor={"inline": DESCRIPTOR})
    where = gateway_key(space.name, "default")
    pod = pod_of(space.api, where)
    space.wait_condition("Available", "True")
    wait_until(lambda: space.get(CONFIG_MAPS, names.descriptor_config_map(STABLE)), "a descriptor")
    leader.signal(signal.SIGSTOP)
    made = World(space, proxies[1], Envoy(port, space.api, where, pod))
    try:
        wait_until(lambda: made.is_live, "Envoy is live")
        wait_until(lambda: made.weights() == {made.cluster(STABLE): 100}, "the service is served")
        yield made
    finally:
        made.envoy.stop()
        leader.signal(signal.SIGCONT)
        admission.close()


def test_a_proxy_gets_the_weights_and_endpoints_of_the_revisions(world: World) -> None:
    """From a replica that only reads: neither the weights nor the addresses are anywhere else."""
    stable, candidate = world.cluster(STABLE), world.cluster(CANDIDATE)
    writes = len(world.standby.writes())
    world.put_candidate()
    wait_until(
        lambda: (
            world.space.api.get(DEPLOYMENTS, world.space.name, CANDIDATE) is not None
            and any(
                ADDRESSES[CANDIDATE] in json.dumps(each)
                for each in world.space.api.list(ENDPOINT_SLICES, world.space.name)
            )
        ),
        "the candidate has an endpoint",
    )
    world.put_status(*split(25))
    assert world.weights() == {stable: 100}  # the candidate has no descriptor yet
    world.pin_candidate()
    wait_until(lambda: world.weights() == {stable: 75, candidate: 25}, "the weights are served")
    assert world.addresses() == {
        stable: {ADDRESSES[STABLE]},
        candidate: {ADDRESSES[CANDIDATE]},
    }
    world.put_status(*split(50))
    wait_until(lambda: world.weights() == {stable: 50, candidate: 50}, "the next step is served")
    world.put_status(
        {"name": CANDIDATE, "role": "Stable", "percent": 100},
        {"name": STABLE, "role": "Draining", "percent": 0},
    )
    wait_until(lambda: world.weights() == {candidate: 100}, "all calls go to the candidate")
    assert world.addresses().keys() == {stable, candidate}
    assert len(world.standby.writes()) == writes
