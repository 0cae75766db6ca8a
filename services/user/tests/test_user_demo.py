"""The demo client against two real servers, with the service config the operator hands out."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from grpc_service_kit.testing.polling import TIMEOUT
from grpc_service_kit.testing.processes import ServerProcess, environment
from user.v1 import user_pb2, user_pb2_grpc
from user_service import demo as user_demo

Start = Callable[..., ServerProcess]
SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": "user.v1.UserService"},
    }
)
METHODS = (
    "CreateUser",
    "GetUser",
    "UpdateUser",
    "BatchCreateUsers",
    "SyncUsers",
    "ListUsers",
    "DeleteUser",
)


def demo(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "user_service.demo", *options]
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, check=False
    )


@pytest.fixture
def target(start: Start) -> str:
    """Two servers as one target."""
    servers = [start(INSTANCE_METADATA="on", HOSTNAME=f"pod-{number}") for number in (1, 2)]
    return "ipv4:" + ",".join(server.target for server in servers)


def test_it_walks_every_method_and_sees_both_instances(target: str, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text(SERVICE_CONFIG)
    result = demo("--target", target, "--service-config-file", str(file))

    assert (result.stderr, result.returncode) == ("", 0)
    lines = result.stdout.splitlines()
    walked = [line.split()[0] for line in lines if line.split()[1] == "OK"]
    assert list(dict.fromkeys(walked)) == list(METHODS)
    assert lines[-2:] == ["pod-1 answered 100 of 200", "pod-2 answered 100 of 200"]


def test_the_environment_stands_in_for_the_options_and_no_user_is_left(target: str) -> None:
    result = demo("--calls", "10", GRPC_TARGET=target, GRPC_SERVICE_CONFIG=SERVICE_CONFIG)

    assert (result.stderr, result.returncode) == ("", 0)
    for address in target.removeprefix("ipv4:").split(","):
        with grpc.insecure_channel(address) as channel:
            stub = user_pb2_grpc.UserServiceStub(channel)
            assert list(stub.ListUsers(user_pb2.ListUsersRequest(), timeout=TIMEOUT)) == []


def test_too_few_instances_end_with_1(start: Start) -> None:
    server = start(INSTANCE_METADATA="on", HOSTNAME="pod-1")
    result = demo("--target", server.target, "--calls", "5", "--settle-timeout", "1")

    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == "pod-1 answered 5 of 5"
    assert result.stderr == "1 of 2 instances answered 30% of the calls or more\n"


def test_a_channel_made_before_dns_named_every_instance_is_replaced(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = target.split(",", maxsplit=1)[0]
    targets = [first, first, target]  # the calls of every method, then DNS as it was and as it is
    connect = user_demo.connect
    monkeypatch.setattr(user_demo, "connect", lambda _, config: connect(targets.pop(0), config))
    monkeypatch.setattr("sys.argv", ["demo", "--target", first, "--calls", "10"])
    monkeypatch.setenv("GRPC_SERVICE_CONFIG", SERVICE_CONFIG)

    assert user_demo.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "pod-2 answered 5 of 10"


def test_a_server_that_does_not_name_itself_ends_with_1(start: Start) -> None:
    result = demo("--target", start().target)

    assert result.returncode == 1
    assert "start the server with INSTANCE_METADATA=on" in result.stderr


def test_a_call_that_fails_ends_with_1_and_names_the_method() -> None:
    result = demo("--target", "ipv4:127.0.0.1:1", "--timeout", "0.5")

    assert result.returncode == 1
    assert result.stderr.startswith("CreateUser")
    assert "DEADLINE_EXCEEDED" in result.stderr


@pytest.mark.parametrize(
    ("options", "variables", "text"),
    [
        ((), {}, "no target: set GRPC_TARGET or --target"),
        (("--target", "a:1"), {"GRPC_SERVICE_CONFIG": "{"}, "service config: Expecting"),
        (("--target", "a:1", "--service-config-file", "/missing"), {}, "service config: [Errno 2]"),
    ],
)
def test_bad_options_end_with_2(
    options: tuple[str, ...], variables: dict[str, str], text: str
) -> None:
    result = demo(*options, **variables)

    assert result.returncode == 2
    assert text in result.stderr
