"""Targets from strings, environment variables and mounted ConfigMaps, right and wrong."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from grpc_service_kit.client import ClientConfigError, Target, connect

FROM_OPERATOR = (
    '{"healthCheckConfig":{"serviceName":"x"},"loadBalancingConfig":[{"round_robin":{}}]}'
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("users:50051", "dns:///users:50051"),
        ("users.default.svc.cluster.local.:1", "dns:///users.default.svc.cluster.local.:1"),
        ("10.0.0.1:50051", "dns:///10.0.0.1:50051"),
        ("[::1]:50051", "dns:///[::1]:50051"),
        ("dns:///users-headless:50051", "dns:///users-headless:50051"),
        ("dns:users:50051", "dns:users:50051"),
        ("dns://10.96.0.10/users:50051", "dns://10.96.0.10/users:50051"),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", "ipv4:127.0.0.1:1,127.0.0.1:2"),
        ("ipv6:[::1]:65535", "ipv6:[::1]:65535"),
        ("unix:run/users.sock", "unix:run/users.sock"),
        ("unix:///run/users.sock", "unix:///run/users.sock"),
        (" users:50051\n", "dns:///users:50051"),
    ],
)
def test_an_address_gets_its_scheme(text: str, address: str) -> None:
    assert Target.parse(text).address == address


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty; write host:port"),
        ("users", "'users' is not host:port"),
        ("dns:///users", "'users' is not host:port"),
        (":50051", "is not host:port"),
        ("users:", "has the port ''"),
        ("users:http", "has the port 'http'"),
        ("users:0", "has the port '0'"),
        ("users:99999", "write a number from 1 to 65535"),
        ("users:٣", "has the port"),
        ("::1:50051", "write an IPv6 address as [::1]:50051"),
        ("[::1]", "is not host:port"),
        ("[::z]:1", "[::z] is not an IPv6 address"),
        ("us ers:1", "has a blank"),
        ("us\0ers:1", "control character"),
        ("-users:1", "'-users' is not the name of a host"),
        ("http://users:50051", "has no scheme that is known here"),
        ("xds:///users:50051", "one of dns:, ipv4:"),
        ("users:50051/path", "has no scheme that is known here"),
        ("dns://users:50051", "has two slashes; write three"),
        ("ipv4:users:50051", "'users' is not an ipv4 address; write dns:///users:50051"),
        ("ipv4:127.0.0.1:1,", "'' is not host:port"),
        ("ipv4:[::1]:1", "is not an ipv4 address"),
        ("unix:", "names no socket"),
        ("unix://run/users.sock", "names no socket"),
    ],
)
def test_a_wrong_address_is_refused_with_the_way_out(text: str, problem: str) -> None:
    with pytest.raises(ClientConfigError) as caught:
        Target.parse(text)

    assert problem in str(caught.value)
    assert str(caught.value).startswith("target: ")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("{", "is not JSON: "),
        ("[]", "is not an object"),
        ('{"loadBalancingConfig":[{"nope":{}}]}', "No known policies in list: nope"),
        ('{"healthCheckConfig":{"serviceName":3}}', "healthCheckConfig.serviceName"),
        ('{"methodConfig":[{"name":[{}],"timeout":"5"}]}', "methodConfig[0].timeout"),
        ('{"methodConfig":[{"name":[{}]},{"name":[{}]}]}', "duplicate default method config"),
        ('{"methodConfig":[{"name":[{}],"retryPolicy":{}}]}', "methodConfig[0].retryPolicy"),
        ('{"methodConfig":{}}', "methodConfig"),
        ('{"methodConfig":[{"name":{}}]}', "methodConfig[0].name"),
        ('{"methodConfig":[{"name":[{"service":3}]}]}', "methodConfig[0].name[0].service"),
    ],
)
def test_a_config_that_grpc_refuses_is_refused_at_once(config: str, problem: str) -> None:
    with pytest.raises(ClientConfigError) as caught:
        Target.parse("users:1", config)

    assert problem in str(caught.value)
    assert str(caught.value).startswith("service config: ")


def test_without_a_config_calls_go_round_robin_over_healthy_instances() -> None:
    assert Target.parse("users:1").service_config == {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
    }


def test_the_environment_has_one_prefix_for_each_service() -> None:
    environ = {
        "USERS_GRPC_TARGET": "users:50051",
        "USERS_GRPC_SERVICE_CONFIG": FROM_OPERATOR,
        "GRPC_TARGET": "other:1",
    }

    target = Target.from_env(environ, prefix="USERS_")

    assert target == Target("dns:///users:50051", json.loads(FROM_OPERATOR))
    assert Target.from_env(environ).address == "dns:///other:1"


def test_every_wrong_variable_is_named() -> None:
    environ = {"A_GRPC_TARGET": "users", "A_GRPC_SERVICE_CONFIG": "{"}

    with pytest.raises(ClientConfigError) as caught:
        Target.from_env(environ, prefix="A_")

    first, second = str(caught.value).splitlines()
    assert first.startswith("A_GRPC_TARGET: 'users' is not host:port")
    assert second.startswith("A_GRPC_SERVICE_CONFIG: is not JSON")


@pytest.mark.parametrize("environ", [{}, {"A_GRPC_TARGET": ""}])
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(ClientConfigError, match=r"^A_GRPC_TARGET: not set; .* prefix A_$"):
        Target.from_env(environ, prefix="A_")


def test_a_mounted_config_map_is_read(tmp_path: Path) -> None:
    (tmp_path / "GRPC_TARGET").write_text("dns:///users:50051")
    (tmp_path / "GRPC_SERVICE_CONFIG").write_text(FROM_OPERATOR)

    target = Target.from_directory(tmp_path)

    assert target == Target("dns:///users:50051", json.loads(FROM_OPERATOR))


def _no_directory(directory: Path) -> Path:
    return directory / "missing"


def _no_target(directory: Path) -> Path:
    return directory


def _not_text(directory: Path) -> Path:
    (directory / "GRPC_TARGET").write_bytes(b"\xff\xfe")
    return directory


def _a_directory(directory: Path) -> Path:
    (directory / "GRPC_TARGET").mkdir()
    return directory


def _bad_json(directory: Path) -> Path:
    (directory / "GRPC_TARGET").write_text("users:1")
    (directory / "GRPC_SERVICE_CONFIG").write_text("not json")
    return directory


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (_no_directory, "missing: no such directory; mount the ConfigMap NAME-grpc-client there"),
        (_no_target, "GRPC_TARGET: no such file"),
        (_not_text, "GRPC_TARGET: is not UTF-8 text"),
        (_a_directory, "GRPC_TARGET: cannot be read: Is a directory"),
        (_bad_json, "GRPC_SERVICE_CONFIG: is not JSON"),
    ],
)
def test_a_wrong_mount_is_refused_with_the_file(tmp_path: Path, prepare: Any, problem: str) -> None:
    with pytest.raises(ClientConfigError) as caught:
        Target.from_directory(prepare(tmp_path))

    assert str(caught.value).startswith(str(tmp_path))
    assert problem in str(caught.value)


def test_connect_says_that_it_needs_an_event_loop() -> None:
    with pytest.raises(RuntimeError, match="connect\\(\\) needs a running event loop"):
        connect("users:1")


def test_connect_takes_a_plain_string_and_refuses_a_wrong_one() -> None:
    async def wrong() -> None:
        connect("users")

    with pytest.raises(ClientConfigError, match="'users' is not host:port"):
        asyncio.run(wrong())
