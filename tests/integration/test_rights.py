"""The operator under the chart's RBAC: it may do what it does, and does what it may."""

import base64
from functools import partial

import grpc
import pytest
from google.protobuf import descriptor_pb2

from grpc_operator import labels
from grpc_operator.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    LEASES,
    POD_DISRUPTION_BUDGETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
    gateway_key,
)
from grpc_service_kit.testing.postgres import free_port
from tests.helm.chart import RELEASE, Manifest, render
from tests.integration.api import Api, ApiError
from tests.integration.chart_objects import installed
from tests.integration.conftest import Start
from tests.integration.credentials import Credentials
from tests.integration.faults import Call
from tests.integration.identity import pod_of, proxy_token, trusted
from tests.integration.pods import ready, waiting
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.integration.xds_client import XdsClient
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

Right = tuple[str, str, str]
"""Group, resource with its subresource, verb."""

NOT_BY_A_REQUEST = {
    ("grpc.infera.dev", f"{plural}/finalizers", "update")
    for plural in ("grpcservices", "grpcgateways")
}
"""Rights that an admission plugin asks for, OwnerReferencesPermissionEnforcement."""


def granted(roles: list[Manifest]) -> set[Right]:
    """Returns what roles of the chart grant."""
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def rights(call: Call) -> set[Right]:
    """Returns the rights that a request needed; none for discovery."""
    if not call.resource:
        return set()
    first, group, *_ = call.path.strip("/").split("/")
    group = "" if first == "api" else group
    verbs = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    if call.method == "GET":
        verb = "watch" if call.is_watch else "get" if call.name else "list"
        return {(group, call.resource, verb)}
    needed = {(group, call.resource, verbs[call.method])}
    if call.method == "PATCH" and call.status == 201:
        needed.add((group, call.resource, "create"))
    return needed


def descriptor_set() -> str:
    """Returns the smallest descriptor with a gRPC service, in base64."""
    file = descriptor_pb2.FileDescriptorProto(name="a.proto", package="a.v1", syntax="proto3")
    file.message_type.add(name="Nothing")
    method = file.service.add(name="A").method.add(name="Do")
    method.input_type = method.output_type = ".a.v1.Nothing"
    data = descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()
    return base64.b64encode(data).decode()


def warnings(space: Space) -> list[int]:
    """Returns how often each problem of a GrpcService was reported."""
    return [
        event.get("series", {}).get("count", 1)
        for event in space.api.list(EVENTS, space.name)
        if event["regarding"]["kind"] == "GrpcService" and event["type"] == "Warning"
    ]


def a_problem_comes_back(space: Space, proxy: Proxy) -> None:
    """The same one after another state, of which only Events may say more."""
    wait_until(lambda: warnings(space) == [1], "a problem is reported")
    space.kubelet.answer = waiting("ContainerCreating", "")
    events = f"/namespaces/{space.name}/events"
    wait_until(
        lambda: any(call.method == "GET" and call.path.endswith(events) for call in proxy.calls),
        "the Events of a pod are read",
    )
    space.kubelet.answer = waiting("ErrImagePull", "no such image")
    wait_until(lambda: warnings(space) == [2], "the problem is counted")


def full_life(space: Space, proxy: Proxy) -> None:
    """Has the operator do everything that it can: create, report, change, prune, recover."""
    space.gateway()
    space.kubelet.answer = waiting("ErrImagePull", "no such image")
    space.apply(
        resources={"requests": {"cpu": "1"}},
        autoscaling={"maxReplicas": 3},
        gateway={},
        descriptor={"inline": descriptor_set()},
    )
    a_problem_comes_back(space, proxy)
    wait_until(
        lambda: space.api.get(CONFIG_MAPS, space.name, "users-grpc-descriptor"),
        "the descriptor is kept",
    )
    labels_are_lost(space)
    space.kubelet.answer = ready
    space.apply(replicas=1)
    space.wait_ready()
    gone = [
        (HORIZONTAL_POD_AUTOSCALERS, "users"),
        (POD_DISRUPTION_BUDGETS, "users"),
        (CONFIG_MAPS, "users-grpc-descriptor"),
    ]
    for resource, name in gone:
        wait_until(lambda: space.api.get(resource, space.name, name) is None, f"{name} is gone")  # noqa: B023 - called at once
    a_revision_is_replaced(space)


def labels_are_lost(space: Space) -> None:
    """Such children are not watched, and so they are read after their creation has failed."""
    children = [
        (CONFIG_MAPS, "users-grpc-descriptor"),
        (HORIZONTAL_POD_AUTOSCALERS, "users"),
        (POD_DISRUPTION_BUDGETS, "users"),
        (SERVICES, "users-headless"),
        (SERVICE_ACCOUNTS, "users"),
    ]
    for resource, name in children:
        space.edit(resource, name, {"metadata": {"labels": None}})
    for resource, name in children:
        wait_until(partial(_has_its_label, space, resource, name), f"{name} has its label again")


def _has_its_label(space: Space, resource: Resource, name: str) -> bool:
    return labels.SERVICE in space.get(resource, name)["metadata"].get("labels", {})


def a_revision_is_replaced(space: Space) -> None:
    """Without a history, its Deployment and Service are deleted."""
    rollout = {"revisionHistoryLimit": 0}
    space.apply(replicas=1, rollout=rollout)
    space.wait_ready()
    space.apply(replicas=1, rollout=rollout, image="user-service:0.2.0")
    space.wait_ready()
    for resource, name in ((DEPLOYMENTS, "users"), (SERVICES, "users-revision")):
        wait_until(lambda: space.api.get(resource, space.name, name) is None, f"{name} is gone")  # noqa: B023 - called at once


def a_proxy_connects(space: Space, port: int) -> bool:
    """Whether the pod of the gateway is known to the xDS server."""
    gateway = gateway_key(space.name, "default")
    pod = pod_of(space.api, gateway)
    client = XdsClient(port, trusted(space.api, gateway))
    access = proxy_token(space.api, gateway, pod)
    answer = client.ask(access, pod["metadata"]["name"], gateway.namespaced_name)
    return answer.code is not grpc.StatusCode.UNAUTHENTICATED


def test_every_right_is_used_and_every_use_is_granted(
    start: Start, proxy: Proxy, space: Space
) -> None:
    """From the first list to the release of the Lease, as the ServiceAccount of the chart."""
    values = {"namespaceOverride": space.name}
    every = render(values)
    objects = [each for each in every if "Role" in each["kind"] or each["kind"] == "Secret"]
    objects = [each for each in objects if "aggregate" not in str(each["metadata"])]
    proxy.user = f"system:serviceaccount:{space.name}:{RELEASE}"
    with installed(space.api, objects):
        port = free_port()
        operator = start(proxy, lease_name=RELEASE, watch_namespaces="", xds_port=port)
        operator.wait_lease()
        full_life(space, proxy)
        wait_until(lambda: a_proxy_connects(space, port), "a proxy is known")
        assert operator.stop() == 0
    assert [str(call) for call in proxy.calls if call.status == 403] == []
    used = set().union(*(rights(call) for call in proxy.calls))
    roles = [each for each in objects if each["kind"].endswith("Role")]
    assert used == granted(roles) - NOT_BY_A_REQUEST


def test_other_operators_may_read_this_lease_alone(credentials: Credentials, space: Space) -> None:
    """To find out who is alive, in a namespace that they do not watch; and nothing else in it."""
    values = {"namespaceOverride": space.name}
    objects = [each for each in render(values) if each["metadata"]["name"].endswith("lease-view")]
    for name in (RELEASE, "another"):
        space.api.create(LEASES, space.name, {"metadata": {"name": name}})
    other = Api(credentials, user="system:serviceaccount:elsewhere:another-operator")
    with installed(space.api, objects):
        wait_until(partial(_may_read, other, space, RELEASE), "the Lease may be read")
        assert not _may_read(other, space, "another")
        with pytest.raises(ApiError, match="cannot list"):
            other.list(LEASES, space.name)


def _may_read(api: Api, space: Space, name: str) -> bool:
    try:
        found = api.get(LEASES, space.name, name)
    except ApiError as error:
        if error.status != 403:
            raise
        found = None
    return found is not None
