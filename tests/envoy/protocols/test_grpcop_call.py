"""``grpcop call`` through a real gateway: the same answers and errors by every protocol."""

import asyncio
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.conftest import Site
from tests.envoy.protocols.test_seven_rpcs import created
from tests.unit.cli import Ran, run

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

VIAS = ("direct", "grpc", "grpc-web", "rest")

Calls = Callable[..., Any]


@pytest.fixture
def calls(site: Site, tmp_path: Path) -> Calls:
    """Calls a method of the user service by a protocol."""
    descriptor = tmp_path / "set.pb"
    descriptor.write_bytes(user_descriptor())

    async def call(via: str, method: str, *arguments: str, host: str = "users.test") -> Ran:
        port = site.upstream if via == "direct" else site.gateway.port
        where = ("--address", f"127.0.0.1:{port}", "--authority", host)
        what = (f"user.v1.UserService/{method}", *where, "--descriptor", str(descriptor))
        return await asyncio.to_thread(run, "call", *what, "--via", via, *arguments)

    return call


def _people(count: int) -> list[dict[str, str]]:
    return [{"email": f"{uuid4()}@example.com", "name": f"n{n}"} for n in range(count)]


def _lines(values: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(value) for value in values)


def _same(text: str) -> str:
    """Leaves out what the server chooses for each call."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", text)
    return re.sub(r"[0-9a-f]{8}-?[0-9a-f-]{24,27}", "ID", text)


async def _by_each(calls: Calls, method: str, requests: Callable[[], str]) -> dict[str, Ran]:
    streams = method in {"BatchCreateUsers", "SyncUsers"}
    vias = [via for via in VIAS if not (streams and via == "grpc-web")]
    return {via: await calls(via, method, "-d", requests()) for via in vias}


@pytest.mark.parametrize(
    ("method", "messages"),
    [("GetUser", 1), ("ListUsers", 2), ("BatchCreateUsers", 1), ("SyncUsers", 2)],
)
async def test_equal_json_by_every_protocol(
    site: Site, calls: Calls, method: str, messages: int
) -> None:
    """All four kinds of methods."""
    users = [await created(site, "Zoë <&> \N{SNOWMAN}") for _ in range(2)]
    requests = {
        "GetUser": lambda: _lines([{"id": users[0]["id"]}]),
        "ListUsers": lambda: _lines([{"pageSize": 2}]),
        "BatchCreateUsers": lambda: _lines(_people(2)),
        "SyncUsers": lambda: _lines([{"user": each} for each in _people(2)]),
    }
    found = await _by_each(calls, method, requests[method])

    for via, ran in found.items():
        assert (ran.code, ran.err) == (0, ""), via
        assert ran.out.count("\n") == messages
    assert len({_same(ran.out) for ran in found.values()}) == 1, found


@pytest.mark.parametrize(
    ("method", "request_", "says"),
    [
        ("GetUser", {"id": str(uuid4())}, "error: NOT_FOUND: "),
        ("CreateUser", {"email": "none", "name": "x"}, "google.rpc.ErrorInfo: {"),
    ],
)
async def test_equal_errors_by_every_protocol(
    calls: Calls, method: str, request_: dict[str, str], says: str
) -> None:
    """With their details."""
    found = await _by_each(calls, method, lambda: _lines([request_]))

    assert {(ran.code, ran.out) for ran in found.values()} == {(1, "")}
    assert len({_same(ran.err) for ran in found.values()}) == 1, found
    assert says in found["rest"].err


@pytest.mark.parametrize(("host", "via"), [("lines.test", "rest"), ("events.test", "rest")])
async def test_streams_by_rest_in_each_format(
    site: Site, calls: Calls, host: str, via: str
) -> None:
    """Lines and server-sent events, as an array."""
    await created(site)
    await created(site)

    ran = await calls(via, "ListUsers", "-d", '{"pageSize": 2}', host=host)
    array = await calls(via, "ListUsers", "-d", '{"pageSize": 2}')

    assert (ran.code, ran.out) == (0, array.out)
    assert ran.out.count("\n") == 2


@pytest.mark.parametrize("via", ["grpc", "grpc-web"])
async def test_metadata_and_trailers(site: Site, calls: Calls, via: str) -> None:
    """With ``-v``; not mixed with the responses."""
    for _ in range(2):
        await created(site)

    ran = await calls(via, "ListUsers", "-d", '{"pageSize": 1}', "-v", "-H", "X-Mine-bin: AAE")

    assert "> x-mine-bin: AAE\n" in ran.err
    assert "<< next-page-token: " in ran.err
    assert json.loads(ran.out)["id"]


@pytest.mark.parametrize("via", ["grpc-web", "rest"])
async def test_the_printed_command_makes_the_same_call(site: Site, calls: Calls, via: str) -> None:
    """A shell runs it as it is, hostile values included."""
    user = await created(site, "$(touch x) 'a' \"b\" `c`")
    ran = await calls(via, "GetUser", "-d", _lines([{"id": user["id"]}]), "--print")

    process = await asyncio.create_subprocess_exec(
        "bash", "-c", ran.out, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()

    assert process.returncode == 0, (ran.out, err)
    assert b"$(touch x) 'a' " in out
