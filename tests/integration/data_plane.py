"""The data plane around an operator under test: a real Envoy, a real service, a client."""

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from grpc_operator.resources import Key, Manifest
from grpc_service_kit.testing.postgres import free_port
from tests import user_process
from tests.envoy.envoy import binary, bootstrap, environment
from tests.integration.api import Api
from tests.integration.identity import proxy_token, trusted
from tests.waiting import HANG, wait_until
from tests.xds_access import Access
from user.v1 import user_pb2, user_pb2_grpc


def host_address(server: str) -> str:
    """Returns this machine's address as pods reach it, which is never loopback.

    Args:
        server: URL of the API server.
    """
    host, _, port = server.removeprefix("https://").rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, int(port)))
        address: str = probe.getsockname()[0]
    if not address.startswith("127."):
        return address
    network = ["docker", "network", "inspect", "kind", "-f", "{{json .IPAM.Config}}"]
    configs = json.loads(subprocess.run(network, capture_output=True, check=True).stdout)
    return str(next(entry["Gateway"] for entry in configs if ":" not in entry["Gateway"]))


class Proxy:
    """An Envoy that acts for a pod of a gateway and gets everything from an operator here.

    Args:
        xds_port: Port of the operator's xDS server.
        api: Tells the pod's token, and whom it trusts.
        gateway: The GrpcGateway.
        pod: Its pod.

    Attributes:
        access: The files of the pod.
    """

    def __init__(self, xds_port: int, api: Api, gateway: Key, pod: Manifest) -> None:
        # Not pytest's directory: the path of a unix socket is limited to 107 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="envoy-"))
        self._admin = self._directory / "admin.sock"
        self.node: str = pod["metadata"]["name"]
        token = proxy_token(api, gateway, pod)
        self.access = Access.write(self._directory, trusted(api, gateway), token)
        xds = self.access.cluster(xds_port)
        made = bootstrap(self._admin, xds, self.node, gateway.namespaced_name)
        config = self._directory / "bootstrap.json"
        config.write_text(json.dumps(made))
        words = [str(binary()), "-c", str(config), "--log-path", str(self._directory / "log")]
        self._words = [*words, "--concurrency", "1", "--use-dynamic-base-id"]
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._words, stdout=subprocess.DEVNULL, env=environment())

    def restart(self) -> None:
        """Ends it at once and starts it again, as the kubelet does with a container."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Ends it; what it logged is shown when the test fails."""
        self._process.kill()
        self._process.wait()
        print(f"--- Envoy\n{(self._directory / 'log').read_text()[-5000:]}")  # noqa: T201
        shutil.rmtree(self._directory)

    def admin(self, path: str) -> str:
        """Returns what the admin interface says."""
        connection = http.client.HTTPConnection("admin", timeout=HANG)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._admin))
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def stats(self, pattern: str) -> dict[str, int]:
        """Returns the counters and gauges whose names match."""
        answer = json.loads(self.admin(f"/stats?format=json&filter={pattern}"))
        return {entry["name"]: entry["value"] for entry in answer["stats"] if "name" in entry}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str


@dataclass(frozen=True)
class Client:
    """A client of a gateway's listener on this machine."""

    port: int

    def rest(self, verb: str, path: str, body: Any = None, host: str = "any.example") -> Answer:
        """Makes one REST call; status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG)
        text = None if body is None else json.dumps(body)
        headers = {"Host": host, "Content-Type": "application/json"}
        try:
            connection.request(verb, path, text, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode())
        except OSError as error:
            return Answer(0, str(error))
        finally:
            connection.close()

    def list_users(self, host: str = "any.example") -> grpc.StatusCode:
        """Makes one gRPC call and returns its status."""
        options = [("grpc.default_authority", host)]
        with grpc.insecure_channel(f"127.0.0.1:{self.port}", options=options) as channel:
            call = user_pb2_grpc.UserServiceStub(channel).ListUsers(
                user_pb2.ListUsersRequest(), timeout=HANG
            )
            with suppress(grpc.RpcError):
                list(call)
            return call.code()


@contextmanager
def user_service(directory: Path) -> Iterator[int]:
    """Runs the reference user service on all addresses; yields its port."""
    port = free_port()
    environment = user_process.environment(directory / f"users-{port}.db", port)
    process = subprocess.Popen(user_process.COMMAND, env=environment)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            ready = grpc.channel_ready_future(channel)
            ready.result(timeout=HANG)
        yield port
    finally:
        process.kill()
        process.wait()


def wait_status(client: Client, status: int, path: str, host: str = "any.example") -> Answer:
    """Waits until a GET has a status."""

    def response() -> Answer | None:
        answer = client.rest("GET", path, host=host)
        assert answer.status == status, answer
        return answer

    found = wait_until(response, f"GET {path} is {status}")
    assert found is not None
    return found
