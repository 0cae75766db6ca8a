"""Who gets the configuration of a gateway: real tokens, real TokenReviews, real pods."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2

from grpc_operator import labels, names
from grpc_operator.app import replicas
from grpc_operator.resources import (
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    PODS,
    SERVICE_ACCOUNTS,
    Key,
    Manifest,
    gateway_key,
    service_key,
)
from grpc_service_kit.testing.postgres import free_port
from tests.integration.api import ApiError
from tests.integration.conftest import Start
from tests.integration.identity import pod_of, proxy_token, token, trusted
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.integration.xds_client import Answer, XdsClient
from tests.waiting import HANG, holds_for, wait_until
from tests.xds_access import metadata
from user.v1 import user_pb2

pytestmark = pytest.mark.cluster


def _with_imports(file: Any) -> list[Any]:
    found = {each.name: each for each in file.dependencies for each in _with_imports(each)}
    return [*found.values(), file]


DESCRIPTOR = base64.b64encode(
    descriptor_pb2.FileDescriptorSet(
        file=[
            descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)
            for file in _with_imports(user_pb2.DESCRIPTOR)
        ]
    ).SerializeToString()
).decode()
_OF_API_SERVER = "https://kubernetes.default.svc.cluster.local"
_NO_ALGORITHM = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
_FORGED = ("extended by hand", "signed by nobody", "without an algorithm")
"""What looks like the token of the proxy until its signature is verified."""

_UNKNOWN = Answer((), grpc.StatusCode.UNAUTHENTICATED, "a valid token is required")


@dataclass
class World:
    """An operator, a gateway with a service, and the pod of the gateway's one proxy.

    Attributes:
        space: Where the gateway is.
        elsewhere: Another tenant's namespace, which the operator watches as well.
        calls: The operator's requests to the API server.
    """

    space: Space
    elsewhere: Space
    operator: OperatorProcess
    calls: Proxy
    port: int
    gateway: Key
    pod: Manifest

    @property
    def node(self) -> str:
        """Name of the proxy's pod."""
        return str(self.pod["metadata"]["name"])

    def good_token(self) -> str:
        """Returns the token of the proxy."""
        return proxy_token(self.space.api, self.gateway, self.pod)

    @property
    def client(self) -> XdsClient:
        """Somebody who trusts the xDS server."""
        return XdsClient(self.port, trusted(self.space.api, self.gateway))

    def ask(self, access: str, *, node: str = "", cluster: str = "") -> Answer:
        """Asks for all clusters; by default in the name of the real proxy."""
        return self.client.ask(access, node or self.node, cluster or self.gateway.namespaced_name)

    def statuses(self) -> list[Any]:
        """Returns everything that a proxy could have an effect on."""
        return [
            self.space.get(resource, name)["status"]
            for resource, name in ((GRPC_GATEWAYS, "default"), (GRPC_SERVICES, "users"))
        ]


@pytest.fixture
def world(space: Space, start: Start, proxy: Proxy, tmp_path: Path) -> Iterator[World]:
    """An operator at work over two namespaces."""
    elsewhere = Space.create(space.api)
    port = free_port()
    account = token(space.api, space.name, "default", audience=names.REPLICA_AUDIENCE)
    (tmp_path / names.XDS_TOKEN_FILE).write_text(account)
    operator = start(
        proxy,
        xds_port=port,
        watch_namespaces=f"{space.name},{elsewhere.name}",
        replica_token_folder=tmp_path,
    )
    operator.wait_lease()
    space.gateway()
    space.apply(gateway={"hostnames": ["*"]}, descriptor={"inline": DESCRIPTOR})
    gateway = gateway_key(space.name, "default")
    pod = pod_of(space.api, gateway)
    space.wait_condition("Programmed", "False", "default", resource=GRPC_GATEWAYS)
    space.wait_condition("Programmed", "False")
    yield World(space, elsewhere, operator, proxy, port, gateway, pod)
    elsewhere.close()


def make_pod(space: Space, name: str, account: str, marks: dict[str, str]) -> Manifest:
    """Creates a pod that nobody runs."""
    spec = {"serviceAccountName": account, "containers": [{"name": "a", "image": "b"}]}
    named = {"name": name, "labels": marks}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec}
    return space.api.create(PODS, space.name, manifest)


def make_account(space: Space, name: str) -> None:
    """Creates a ServiceAccount, if Kubernetes has not."""
    manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    with suppress(ApiError):
        space.api.create(SERVICE_ACCOUNTS, space.name, manifest)


def changed(access: str, **claims: Any) -> str:
    """Returns a token with other claims under the signature of the original."""
    header, payload, signature = access.split(".")
    old = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    new = base64.urlsafe_b64encode(json.dumps(old | claims).encode()).decode().rstrip("=")
    return f"{header}.{new}.{signature}"


def attacks(world: World) -> dict[str, str]:
    """Returns tokens that are not the real proxy's, by what is wrong with each."""
    api, space, good = world.space.api, world.space, world.good_token()
    account = names.gateway_workload("default")
    marks = labels.of_gateway("default")
    make_account(world.elsewhere, account)
    make_account(space, "tenant")
    impostor = make_pod(world.elsewhere, world.node, account, marks)
    labelled = make_pod(space, "labelled", "tenant", marks)
    unlabelled = make_pod(space, "unlabelled", account, {})
    now = int(time.time())
    return {
        "no token": "",
        "no JWT": "token",
        "another audience's": token(api, space.name, account, pod=world.pod, audience="sts"),
        "the API server's own audience's": token(
            api, space.name, account, pod=world.pod, audience=_OF_API_SERVER
        ),
        "bound to no pod": token(api, space.name, account),
        "of a pod of another namespace that has all the names": token(
            api, world.elsewhere.name, account, pod=impostor
        ),
        "of a pod with the gateway's label under an account of its own": token(
            api, space.name, "tenant", pod=labelled
        ),
        "of a pod under the gateway's account without its label": token(
            api, space.name, account, pod=unlabelled
        ),
        "of the operator": token(api, space.name, "tenant", audience=names.REPLICA_AUDIENCE),
        "expired": changed(good, exp=now - 1),
        "extended by hand": changed(good, exp=now + 10**6),
        "signed by nobody": f"{good.rpartition('.')[0]}.",
        "without an algorithm": f"{_NO_ALGORITHM}.{good.split('.')[1]}.",
    }


def settled(world: World) -> list[Any]:
    """Waits until that proxy is away and reported as such; returns the statuses."""
    seen: list[Any] = []

    def same() -> bool:
        seen.append(world.statuses())
        return seen[-1][0].get("proxies") == 0 and seen[-20:] == [seen[-1]] * 20

    wait_until(same, "the statuses have settled")
    return list(seen[-1])


def test_nobody_but_a_proxy_gets_a_byte_or_changes_a_status(world: World) -> None:
    """Whatever is presented; and the answer does not say what was wrong with it."""
    tokens = attacks(world)
    wait_until(lambda: world.ask(world.good_token()).clusters, "the proxy gets its clusters")
    before = settled(world)

    answers = {name: world.ask(access) for name, access in tokens.items()}
    plain = XdsClient(world.port, b"").ask(
        world.good_token(), world.node, world.gateway.namespaced_name
    )

    assert answers == dict.fromkeys(tokens, _UNKNOWN)
    assert (plain.clusters, plain.code) == ((), grpc.StatusCode.UNAVAILABLE)
    holds_for(lambda: world.statuses() == before, 1, "no status changes")
    assert world.operator.metric("grpc_operator_xds_nacks_total") == 0


def test_only_what_may_be_a_proxys_is_asked_about(world: World) -> None:
    """Whoever presents other tokens cannot make the operator send requests at all."""

    def reviews() -> int:
        return sum(call.resource == "tokenreviews" for call in world.calls.calls)

    tokens = attacks(world)
    forged = [tokens.pop(name) for name in _FORGED]
    for access in tokens.values():
        world.ask(access)
    assert reviews() == 0

    for access in forged * 3:
        world.ask(access)
    assert reviews() == len(forged)


def test_a_proxy_cannot_speak_for_another_one(world: World) -> None:
    """Of its own gateway, or of another one in its namespace."""
    world.space.gateway("other")
    other = gateway_key(world.space.name, "other")
    pod = pod_of(world.space.api, other)
    access = proxy_token(world.space.api, other, pod)
    node = str(pod["metadata"]["name"])
    wait_until(
        lambda: (
            world.ask(access, node=node, cluster=other.namespaced_name).code
            is not grpc.StatusCode.UNAUTHENTICATED
        ),
        "the other gateway's proxy is known",
    )
    before = world.statuses()

    answers = [
        world.ask(access),
        world.ask(access, node=node),
        world.ask(access, cluster=other.namespaced_name),
    ]

    assert {answer.code for answer in answers} == {grpc.StatusCode.PERMISSION_DENIED}
    assert {answer.clusters for answer in answers} == {()}
    assert world.statuses() == before


def test_the_token_of_a_deleted_pod_is_worth_nothing(world: World) -> None:
    """And its stream ends, which may have been open for long."""
    access = world.good_token()
    wait_until(lambda: world.ask(access).clusters, "the proxy gets its clusters")
    with world.client.stream(access, world.node, world.gateway.namespaced_name) as call:
        next(call)
        path = PODS.path(world.space.name, world.node)
        world.space.api.send("DELETE", path, gracePeriodSeconds="0")
        with suppress(grpc.RpcError):
            for _ in call:
                pass
        assert call.code() is grpc.StatusCode.UNAVAILABLE
    assert world.ask(access) == _UNKNOWN


def test_replicas_answer_replicas_only(world: World) -> None:
    """By the operator's own account and audience; a proxy's token will not do."""
    api, namespace = world.space.api, world.space.name
    make_account(world.space, "tenant")
    query = {
        "gateway": world.gateway.namespaced_name,
        "service": service_key(namespace, "users").namespaced_name,
    }

    def listed(access: str) -> tuple[Any, grpc.StatusCode]:
        with world.client.channel() as channel:
            call: Any = channel.unary_unary(f"/{replicas.SERVICE}/{replicas.PROXIES}")
            credentials = metadata(access) if access else []
            try:
                answer = call(json.dumps(query).encode(), metadata=credentials, timeout=HANG)
            except grpc.RpcError as error:
                return None, error.code()
            return json.loads(answer), grpc.StatusCode.OK

    audience = names.REPLICA_AUDIENCE
    refused = {
        "no token": "",
        "a proxy's": world.good_token(),
        "a proxy's, for replicas": token(
            api, namespace, names.gateway_workload("default"), pod=world.pod, audience=audience
        ),
        "another account's": token(api, namespace, "tenant", audience=audience),
        "for the API server": token(api, namespace, "default", audience=_OF_API_SERVER),
    }
    answers = {name: listed(access) for name, access in refused.items()}
    assert answers == dict.fromkeys(refused, (None, grpc.StatusCode.UNAUTHENTICATED))

    own = token(api, namespace, "default", audience=audience)
    assert listed(own) == ([], grpc.StatusCode.OK)
    access = world.good_token()
    with world.client.stream(access, world.node, world.gateway.namespaced_name) as stream:
        next(stream)
        (entry,), code = listed(own)
    assert (entry["node"], code) == (world.node, grpc.StatusCode.OK)
