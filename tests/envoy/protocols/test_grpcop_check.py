"""The calls of ``grpcop check`` through a real gateway, to a real server."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.envoy.protocols.conftest import Site
from tests.unit.cli import run
from tests.unit.cli.check import healthy
from tests.unit.cli.check.api import Api, in_thread
from tests.unit.cli.check.conftest import kubeconfig

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

CALLS = ("gateway-grpc", "gateway-grpc-web", "gateway-rest")

Check = Callable[[str], Coroutine[Any, Any, dict[str, str]]]


@pytest.fixture
def check(site: Site, tmp_path: Path) -> Check:
    """Checks the user service on a host; returns the status of each check."""

    def checked(host: str) -> dict[str, str]:
        api = Api(healthy.objects())
        gateway, upstream = site.gateway.port, site.upstream
        api.ports = {
            "operators/default-envoy-1": (gateway, gateway),
            "shop/users-1": (upstream, upstream),
        }
        rule = {"name": "GetUser", "rest": ["GET /v1/users/{id}"]}
        status = api.objects[healthy.SERVICE]["status"]
        status["services"] = [{"name": "user.v1.UserService", "methods": [rule]}]
        for entry in status["urls"]:
            entry["url"] = entry["url"].replace("localhost", host)
        container = api.objects[healthy.POD]["spec"]["containers"][0]
        container["readinessProbe"]["grpc"]["service"] = "user.v1.UserService"
        with in_thread(api.handle) as port:
            file = tmp_path / "kubeconfig"
            file.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{port}")))
            where = ("--kubeconfig", str(file), "-n", "shop", "--timeout", "20s")
            ran = run("check", "users", *where, "-o", "json")
        return {each["name"]: each["status"] for each in json.loads(ran.out)}

    async def check(host: str) -> dict[str, str]:
        return await asyncio.to_thread(checked, host)

    return check


async def test_a_host_that_is_served(check: Check) -> None:
    """The server answers by each protocol, and its health is known by its name."""
    found = await check("users.test")

    assert {found[each] for each in (*CALLS, "port", "health")} == {"ok"}


async def test_a_host_that_is_not_served(check: Check) -> None:
    """The gateway answers by itself, with the same status codes."""
    found = await check("nobody.test")

    assert {found[each] for each in CALLS} == {"failed"}
    assert found["port"] == "ok"


@pytest.mark.parametrize(("host", "only"), [("only-grpc.test", 0), ("only-rest.test", 2)])
async def test_protocols_that_are_not_served(check: Check, host: str, only: int) -> None:
    """The others fail."""
    found = await check(host)

    assert [found[each] == "ok" for each in CALLS] == [n == only for n in range(3)]
