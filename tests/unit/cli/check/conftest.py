"""The healthy cluster, with a real gRPC server in its pod, and one more as its gateway."""

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import yaml
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.unit.cli import Ran, run
from tests.unit.cli.call.conftest import Server, serving
from tests.unit.cli.check import healthy
from tests.unit.cli.check.api import Api, in_thread


@dataclass
class Gateway:
    """What the proxy answers by HTTP/1.

    Attributes:
        status: HTTP status to REST.
        trailers: What ends a call by gRPC-Web.
    """

    status: int = 405
    trailers: bytes = b"grpc-status: 12\r\ngrpc-message: unknown method\r\n"

    async def handle(self, request: web.Request) -> web.Response:
        """Answers gRPC-Web and REST."""
        if request.headers.get("x-grpc-web"):
            frame = b"\x80" + len(self.trailers).to_bytes(4, "big") + self.trailers
            return web.Response(body=frame, content_type="application/grpc-web+proto")
        return web.json_response({"code": 12, "message": "of the gateway"}, status=self.status)


@dataclass
class Broken:
    """A cluster that can be broken, and checked.

    Attributes:
        api: Its API server.
        health: The health of the server in the pod.
        gateway: The proxy.
        check: Runs ``grpcop check``.
        stack: Ends with the cluster.
        kubeconfig: The file that leads to it.
    """

    api: Api
    health: health.HealthServicer
    gateway: Gateway
    check: Callable[..., Ran]
    stack: ExitStack
    kubeconfig: str


@pytest.fixture
def server() -> Iterator[tuple[Server, health.HealthServicer]]:
    """The server in the pod of ``users``."""
    servicer = health.HealthServicer()
    for name in ("", healthy.SERVED):
        servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    made = grpc.server(futures.ThreadPoolExecutor(4))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, made)
    with serving(made) as started:
        yield started, servicer


@pytest.fixture
def cluster(server: tuple[Server, health.HealthServicer], tmp_path: Path) -> Iterator[Broken]:
    """The healthy cluster."""
    started, servicer = server
    port = int(started.address.rpartition(":")[2])
    api, gateway = Api(healthy.objects()), Gateway()
    with in_thread(gateway.handle) as http, in_thread(api.handle) as at, ExitStack() as stack:
        api.ports = {"shop/users-1": (port, port), "operators/default-envoy-1": (port, http)}
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{at}")))

        def check(*arguments: str, limit: str = "60s") -> Ran:
            where = ("--kubeconfig", str(file), "-n", "shop")
            return run("check", *arguments, *where, "--timeout", limit)

        yield Broken(api, servicer, gateway, check, stack, str(file))


def kubeconfig(server: str) -> object:
    """Returns a kubeconfig of one cluster."""
    return {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
