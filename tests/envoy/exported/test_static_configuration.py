"""A real Envoy with the exported file alone, in front of the user service."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from tests.envoy.calls import Schema
from tests.envoy.envoy import Envoy, binary, environment
from tests.envoy.protocols.backends import user_descriptor, user_service
from tests.envoy.protocols.clients import Client, GrpcClient, RestClient, WebClient
from tests.unit.cli import run

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

HOST = "users.test"
SERVICE = """\
apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcService
metadata: {name: users, namespace: tests}
spec:
  image: none
  gateway:
    hostnames: [users.test]
    rest: {printOptions: {whitespace: Indented, primitiveDefaults: Print}}
"""


def exported(folder: Path, manifest: str, *arguments: str, target: str = "envoy") -> Path:
    """Exports a service; returns the file."""
    (folder / "service.yaml").write_text(manifest)
    (folder / "set.pb").write_bytes(user_descriptor())
    given = ("-f", str(folder / "service.yaml"), "--descriptor", str(folder / "set.pb"))
    ran = run("export", "--to", target, "-d", str(folder), *given, *arguments)
    assert ran.code == 0, ran.err
    return folder / "envoy.yaml"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Client]]:
    """Clients of the user service through the exported configuration, by protocol."""
    folder = tmp_path_factory.mktemp("export")
    async with user_service() as upstream:
        file = exported(folder, SERVICE, "--upstream", f"localhost:{upstream}")
        config: dict[str, Any] = yaml.safe_load(file.read_text())
        for listener in config["static_resources"]["listeners"]:
            listener["address"]["socket_address"]["port_value"] = 0  # tests run beside each other
        envoy = await Envoy.start(1, config=config)
        try:
            await envoy.ready()
            port = await envoy.port("10080")
            schema = Schema(user_descriptor())
            yield {
                "direct": GrpcClient(schema, upstream, HOST),
                "grpc": GrpcClient(schema, port, HOST),
                "grpc-web": WebClient(schema, port, HOST),
                "rest": RestClient(port, HOST),
            }
        finally:
            await envoy.stop()


@pytest.mark.parametrize("protocol", ["grpc", "grpc-web", "rest"])
async def test_every_protocol_answers(clients: dict[str, Client], protocol: str) -> None:
    """With the same user, and the same error for one that does not exist."""
    person = {"email": f"{protocol}@example.com", "name": "Zoë <&> \N{SNOWMAN}"}
    made = await clients[protocol].call("CreateUser", person)
    user = made.answers[0]["user"]
    direct = await clients["direct"].call("GetUser", {"id": user["id"]})

    assert user["name"] == person["name"]
    assert (await clients[protocol].call("GetUser", {"id": user["id"]})).code == 0
    assert direct.answers[0]["user"]["id"] == user["id"]
    missing = {"id": "00000000-0000-0000-0000-000000000000"}
    found = await clients[protocol].call("GetUser", missing)
    assert (found.code, found.answers) == (5, ())


async def test_print_options_apply(clients: dict[str, Client]) -> None:
    """JSON is indented."""
    rest = clients["rest"]
    assert isinstance(rest, RestClient)
    url = f"http://127.0.0.1:{rest.port}/v1/users"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"host": HOST}) as answer,
    ):
        assert answer.status == 200
        assert "\n " in await answer.text()


GATEWAY = """\
---
apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcGateway
metadata: {name: default, namespace: tests}
spec:
  listeners:
    - {name: http, port: 80}
    - {name: https, port: 443, protocol: HTTPS, tls: {secretName: web}}
"""


async def test_envoy_accepts_every_setting(tmp_path: Path) -> None:
    """Timeouts, retries, CORS, several listeners; the certificate of TLS is a file."""
    settings = """\
    cors: {allowOrigins: ["https://app.test"], allowCredentials: Allow}
    timeouts: {request: 3s, streamIdle: 1m, maxStreamDuration: 1h}
    retry: {attempts: 3, codes: [UNAVAILABLE, INTERNAL], perTryTimeout: 1s}
    expose: [Health, Reflection]
    maxMessageBytes: 1048576
"""
    file = exported(tmp_path, SERVICE + settings + GATEWAY)
    text = file.read_text()
    assert "/etc/envoy/tls/https/tls.crt" in text

    (tmp_path / "tls.crt").write_text("")
    without_tls = yaml.safe_load(text)
    listeners = without_tls["static_resources"]["listeners"]
    assert [each["name"] for each in listeners[1:]] == ["10080", "10443"]
    del listeners[2]["filter_chains"][0]["transport_socket"]  # there is no certificate here
    file.write_text(yaml.safe_dump(without_tls))
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        [binary(), "--mode", "validate", "-c", file],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


async def test_envoy_accepts_the_file_of_kubernetes(tmp_path: Path) -> None:
    """What the proxies of ``--to kubernetes`` start from."""
    exported(tmp_path, SERVICE, target="kubernetes")
    documents = yaml.safe_load_all((tmp_path / "gateway-tests-default.yaml").read_text())
    (data,) = (each["data"] for each in documents if each["kind"] == "ConfigMap")
    file = tmp_path / "bootstrap.yaml"
    file.write_text(data["bootstrap.yaml"])
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        [binary(), "--mode", "validate", "-c", file],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
