"""Calls of a GrpcService through the API server: which pod, which host, which descriptor."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli import Ran, run
from tests.unit.cli.check import healthy
from tests.unit.cli.check.conftest import Broken, cluster, server  # noqa: F401 - fixtures
from tests.unit.cli.check.healthy import GATEWAY, POD, PROXY, SERVICE

NAME = '{"name": "things/1"}'
REVISIONS = [
    {"name": "users-1", "role": "Stable"},
    {"name": "users-2", "role": "Candidate", "tag": "next"},
]


@pytest.fixture
def call(cluster: Broken) -> Callable[..., Ran]:  # noqa: F811 - the fixture
    """Calls GetThing of the service ``users``."""

    def call(*arguments: str, name: str = "users") -> Ran:
        where = ("--kubeconfig", cluster.kubeconfig, "-n", "shop")
        return run("call", name, "GetThing", "-d", NAME, *where, *arguments)

    return call


@pytest.mark.parametrize("via", ["grpc", "direct"])
def test_through_a_port_forward(call: Callable[..., Ran], via: str) -> None:
    """With the pinned descriptor: the server has no reflection."""
    ran = call("--via", via)

    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["name"] == "things/1"


@pytest.mark.parametrize(
    ("via", "authority"), [("grpc", "localhost"), ("direct", "users.shop:50051")]
)
def test_the_host(call: Callable[..., Ran], via: str, authority: str) -> None:
    """That of ``status.urls``; at the port of the scheme, it is without one."""
    assert f"> things.v1.Things/GetThing at {authority} ({via})\n" in call("--via", via, "-v").err


def test_a_revision(call: Callable[..., Ran], cluster: Broken) -> None:  # noqa: F811 - the fixture
    """Its tag is a header, and its own descriptor describes the call."""
    cluster.api.objects[SERVICE]["status"]["revisions"] = REVISIONS
    pinned = cluster.api.objects.pop(healthy.DESCRIPTOR)
    cluster.api.objects[healthy.DESCRIPTOR.replace("users-", "users-2-")] = pinned

    assert "> x-grpc-revision: next\n" in call("--revision", "next", "-v").err
    assert call("--revision", "next").code == 0
    assert call().code == 2, "the stable revision has no descriptor"


def _change(path: str, *keys: str, to: Any) -> Callable[[Broken], object]:
    def change(cluster: Broken) -> None:  # noqa: F811 - not the fixture
        inner = cluster.api.objects[path]
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (_change(SERVICE, "spec", "gateway", to=None), ("--via", "rest"), "--via direct"),
        (_change(SERVICE, "status", "urls", to=[]), (), "See why: grpcop check users -n shop"),
        (
            lambda c: c.api.objects[SERVICE]["status"]["urls"].pop(),
            ("--via", "rest"),
            "It has GRPC, GRPCWeb (spec.gateway.protocols).",
        ),
        (_change(GATEWAY, "spec", "listeners", to=[{"name": "x", "port": 81}]), (), "port 80"),
        (lambda c: c.api.objects.pop(PROXY), (), "operators/default cannot be called: it has no p"),
        (lambda c: healthy.waiting(c.api.objects[POD], "x"), ("--via", "direct"), "none of its 1"),
        (lambda _: None, ("--revision", "x"), "It has no revisions (spec.rollout)."),
        (
            _change(SERVICE, "status", "revisions", to=REVISIONS),
            ("--revision", "x"),
            "It has users-1, next.",
        ),
        (
            _change(SERVICE, "status", "revisions", to=REVISIONS),
            ("--revision", "users-1"),
            "has no tag",
        ),
        (
            _change(healthy.DESCRIPTOR, "binaryData", "descriptor.pb", to="H4sI"),
            (),
            "ConfigMap shop/users-grpc-descriptor: ",
        ),
    ],
)
def test_what_cannot_be_called(
    call: Callable[..., Ran],
    cluster: Broken,  # noqa: F811 - the fixture
    change: Callable[[Broken], object],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    """The reason, and what to do instead."""
    change(cluster)

    ran = call(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_why_a_port_forward_fails(call: Callable[..., Ran], cluster: Broken) -> None:  # noqa: F811
    """What the kubelet says is beside what gRPC sees of it."""
    cluster.api.ports.pop("shop/users-1")

    ran = call("--via", "direct")

    assert ran.code == 1
    assert "port 50051 of pod shop/users-1: dial tcp4" in ran.err
