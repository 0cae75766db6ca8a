"""A proxy leaves without failing a call: the script of the pod against the real Envoy."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from grpc_operator.desired.gateway import bootstrap
from grpc_service_kit.testing.postgres import free_port
from tests.unit.desired.gateway import SETTINGS, gateway
from tests.unit.desired.gateway.envoy_process import Envoy, running
from tests.unit.desired.gateway.http2 import GOAWAY, Connection
from tests.waiting import HANG, wait_until

pytestmark = pytest.mark.envoy

_MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Upstream:
    """Answers one request with a stream that ends when a test says so."""

    def __init__(self) -> None:
        self.finish = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        connection.recv(4096)
        connection.sendall(_HEAD + b"5\r\nfirst\r\n")
        self.finish.wait(HANG)
        connection.sendall(b"4\r\nlast\r\n0\r\n\r\n")


def receives(connection: Connection, holds: Callable[[], bool], what: str) -> None:
    """Waits until a connection has received something."""

    def polled() -> bool:
        connection.poll()
        return holds()

    wait_until(polled, what, every=0)


@contextmanager
def script(envoy: Envoy, folder: Path, *, timeout: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs the script with the variables of the pod, on this Envoy."""
    file = folder / bootstrap.DRAIN_FILE
    file.write_text(bootstrap.files(gateway().spec, SETTINGS)[bootstrap.DRAIN_FILE])
    variables = {
        "DRAIN_DELAY_SECONDS": "0",
        "DRAIN_TIMEOUT_SECONDS": str(timeout),
        "DRAIN_QUIET_SECONDS": "1",
        "DRAIN_LOG": str(folder / "log"),
        "ENVOY_ADMIN_PORT": str(envoy.admin),
        "ENVOY_STATUS_NAME": bootstrap.STATUS_NAME,
    }
    environment = {"PATH": os.environ["PATH"], **variables}
    process = subprocess.Popen(["bash", str(file)], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def upstream() -> Upstream:
    """A server with one long answer."""
    return Upstream()


@pytest.fixture
def port() -> int:
    """Where the proxy serves."""
    return free_port()


@pytest.fixture
def envoy(upstream: Upstream, port: int, tmp_path: Path) -> Iterator[Envoy]:
    """A proxy whose listener comes from the bootstrap, because there is no operator."""
    config = yaml.safe_load(bootstrap.bootstrap(gateway().spec, SETTINGS))
    del config["dynamic_resources"], config["cluster_manager"]  # both speak to the operator
    resources = config["static_resources"]
    resources["clusters"] = [
        cluster for cluster in resources["clusters"] if cluster["name"] == "admin"
    ]
    resources["clusters"].append(_cluster(upstream.port))
    resources["listeners"].append(_listener(port))
    options = ("--drain-time-s", "600", "--drain-strategy", "immediate")
    with running(config, tmp_path, *options) as started:
        started.until_ready()
        yield started


def test_a_running_stream_finishes(
    envoy: Envoy, upstream: Upstream, port: int, tmp_path: Path
) -> None:
    """Clients are asked to leave, come back with new connections, and lose nothing."""
    client = Connection(port)
    client.get(1, "/stream")
    receives(client, lambda: client.data(1) == b"first", "the stream begins")
    with script(envoy, tmp_path, timeout=600) as drain:
        log = tmp_path / "log"
        wait_until(lambda: log.exists() and "asks clients" in log.read_text(), "the drain begins")
        client.get(3, "/at-once")
        receives(client, lambda: client.has(GOAWAY), "GOAWAY comes")
        other = Connection(port)
        other.get(1, "/at-once")
        receives(other, lambda: other.data(1) == b"ok", "a late client is served")
        assert envoy.get(envoy.status, "/ready") == (200, "LIVE\n")
        assert drain.poll() is None, "the script does not wait for the stream"
        upstream.finish.set()
        receives(client, lambda: client.data(1) == b"firstlast", "the stream ends")

        assert drain.wait(HANG) == 0
    assert envoy.process.poll() is None
    assert "done: no call for" in log.read_text()
    other.close()


def test_the_wait_is_limited(envoy: Envoy, port: int, tmp_path: Path) -> None:
    """A stream without end holds a proxy no longer than it was allowed."""
    client = Connection(port)
    client.get(1, "/stream")
    receives(client, lambda: client.data(1) == b"first", "the stream begins")

    with script(envoy, tmp_path, timeout=2) as drain:
        assert drain.wait(HANG) == 0

    assert "time is up with 1 calls running" in (tmp_path / "log").read_text()


def test_without_connections_the_script_ends_at_once(envoy: Envoy, tmp_path: Path) -> None:
    """Nobody waits for a proxy that nobody uses; the status port does not count."""
    with script(envoy, tmp_path, timeout=600) as drain:
        assert drain.wait(HANG) == 0

    assert "done: no call for 0 s, 0 idle connections" in (tmp_path / "log").read_text()


def test_an_envoy_that_is_gone_needs_no_drain(envoy: Envoy, tmp_path: Path) -> None:
    """The hook of a crashed proxy succeeds."""
    envoy.process.kill()
    envoy.process.wait()

    with script(envoy, tmp_path, timeout=600) as drain:
        assert drain.wait(HANG) == 0

    assert "nothing to drain" in (tmp_path / "log").read_text()


def _cluster(port: int) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    return {
        "name": "upstream",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "upstream", "endpoints": [endpoint]},
    }


def _listener(port: int) -> dict[str, Any]:
    stream = {"match": {"path": "/stream"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    at_once = {
        "match": {"path": "/at-once"},
        "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
    }
    host = {"name": "all", "domains": ["*"], "routes": [stream, at_once]}
    manager = {
        "@type": f"{_MANAGER}.HttpConnectionManager",
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }
    return {
        "name": "http",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
