"""What commands read of a cluster, and what they say when they cannot."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from grpc_operator.cli.connection import cluster
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.known_errors import known
from grpc_operator.errors import ClusterError, ConfigurationError, ForbiddenError, NotFoundError
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.resources import CONFIG_MAPS, GRPC_SERVICES, PODS

Answer = Callable[[web.Request], web.StreamResponse]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[[Answer], Any]]:
    """Opens a cluster whose API server answers as the test says."""
    servers: list[TestServer] = []

    async def start(answer: Answer) -> Kubeconfig:
        async def handle(request: web.Request) -> web.StreamResponse:
            return answer(request)

        app = web.Application()
        app.router.add_get("/{path:.*}", handle)
        servers.append(TestServer(app))
        await servers[-1].start_server()
        file = tmp_path / "kubeconfig"
        context = {"cluster": "c", "user": "u", "namespace": "shop"}
        file.write_text(
            yaml.safe_dump(
                {
                    "current-context": "x",
                    "contexts": [{"name": "x", "context": context}],
                    "clusters": [
                        {"name": "c", "cluster": {"server": str(servers[-1].make_url("/"))[:-1]}}
                    ],
                    "users": [{"name": "u", "user": {}}],
                }
            )
        )
        return Kubeconfig(str(file))

    yield start
    for server in servers:
        await server.close()


async def test_lists_are_read_in_pages(opened: Callable[[Answer], Any]) -> None:
    """Each object has its kind; the namespace is that of the context."""

    def answer(request: web.Request) -> web.Response:
        assert request.path == "/api/v1/namespaces/shop/pods"
        assert request.query["labelSelector"] == "a=b"
        second = request.query.get("continue") == "there"
        name, rest = ("two", "") if second else ("one", "there")
        return web.json_response(
            {"metadata": {"continue": rest}, "items": [{"metadata": {"name": name}}]}
        )

    async with cluster(await opened(answer)) as found:
        pods = await found.list(PODS, found.namespace, labels="a=b")

    assert [(each["kind"], each["metadata"]["name"]) for each in pods] == [
        ("Pod", "one"),
        ("Pod", "two"),
    ]


async def test_only_metadata_of_large_objects(opened: Callable[[Answer], Any]) -> None:
    """The API server is asked to leave out the rest."""

    def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept"].startswith("application/json;as=PartialObjectMetadataList")
        return web.json_response({"items": []})

    async with cluster(await opened(answer)) as found:
        assert await found.list(CONFIG_MAPS, "shop", metadata_only=True) == []


async def test_lines_of_a_log_are_bounded(opened: Callable[[Answer], Any]) -> None:
    """The end of the last line may be missing; of a long one the beginning is kept."""

    def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"one\n\n" + b"x" * 300_000 + b"\nlast")

    async with cluster(await opened(answer)) as found:
        lines = [line async for line in found.connection.lines("/log", {"follow": "false"})]

    assert [len(line) for line in lines] == [3, 0, 65_536, 4]


async def test_an_object_that_does_not_exist(opened: Callable[[Answer], Any]) -> None:
    """It is named, with how to find others."""

    def answer(_: web.Request) -> web.Response:
        message = 'grpcservices.grpc.infera.dev "users" not found'
        return web.Response(status=404, body=json.dumps({"message": message}))

    async with cluster(await opened(answer), "other") as found:
        assert await found.get(GRPC_SERVICES, found.namespace, "users") is None
        with pytest.raises(CliError) as raised:
            await found.need(GRPC_SERVICES, found.namespace, "users")

    assert 'GrpcService "users" does not exist in the namespace other' in str(raised.value)
    assert "kubectl get grpcservices" in raised.value.fix


PATH = "GET /apis/grpc.infera.dev/v1alpha1/grpcservices: "


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (
            ForbiddenError(
                "GET /x",
                words='pods is forbidden: User "ada" cannot list resource "pods/log" in API group'
                ' "" in the namespace "shop"',
                status=403,
            ),
            (
                "kubectl create role grpcop --verb=list --resource=pods/log --namespace=shop &&"
                " kubectl create rolebinding grpcop --role=grpcop --user=ada --namespace=shop"
            ),
        ),
        (
            ForbiddenError(
                "GET /x",
                words='User "a b" cannot list resource "grpcservices" in API group'
                ' "grpc.infera.dev" at the cluster scope',
                status=403,
            ),
            (
                "kubectl create clusterrole grpcop --verb=list"
                " --resource=grpcservices.grpc.infera.dev && kubectl create clusterrolebinding"
                " grpcop --clusterrole=grpcop --user='a b'"
            ),
        ),
        (
            NotFoundError(PATH + "404 page not found", words="404 page not found", status=404),
            "does not have the CRDs",
        ),
        (ClusterError("GET /x", status=401), "log in again"),
        (ClusterError("GET /x"), "kubectl cluster-info"),
    ],
)
def test_what_to_do_about_an_error(error: ClusterError, fix: str) -> None:
    """By what the API server says."""
    assert fix in known(error).fix


def test_a_defect_is_raised_again() -> None:
    """With its own traceback."""
    with pytest.raises(KeyError):
        known(KeyError("x"))


async def test_a_kubeconfig_that_does_not_exist() -> None:
    """Without a kubeconfig, the message says how to name one."""
    with pytest.raises(ConfigurationError) as raised:
        await cluster(Kubeconfig("/nowhere")).__aenter__()

    error = known(raised.value)
    assert "/nowhere: no such file" in str(error)
    assert "--kubeconfig" in error.fix
