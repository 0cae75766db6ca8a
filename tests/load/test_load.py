"""The load generator itself, on loopback: it must see what goes wrong, or it proves nothing."""

import asyncio
import re
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from tests.load.echo_server import start
from tests.load.plan import Load, Plan
from tests.load.protocols import split_frames
from tests.load.run import Clock, Turns, read_plan, run
from tests.load.schema import Echo
from tests.waiting import until


class Server:
    """An Echo server of its own package."""

    def __init__(self, package: str, server: grpc.aio.Server, port: int) -> None:
        self.package = package
        self.grpc = server
        self.target = f"127.0.0.1:{port}"

    def plan(self, *loads: dict[str, Any], hold: bool = False) -> Plan:
        """Returns a plan that calls it."""
        named = [{"name": load["operation"], "package": self.package, **load} for load in loads]
        plan = {"target": self.target, "loads": named, "hold": hold, "seconds": 600}
        return Plan.model_validate(plan)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    """Provides a running server."""
    package = f"load.t{uuid.uuid4().hex[:8]}"
    running, port = await start(Echo(package), 0)
    yield Server(package, running, port)
    await running.stop(0)


async def test_a_healthy_server_fails_no_call(server: Server) -> None:
    """Every call and every message of each kind is counted, and none failed."""
    plan = server.plan(
        {"operation": "say", "calls": 500, "workers": 10, "connections": 2},
        {"operation": "count", "calls": 4, "workers": 2, "messages": 20, "interval": 0.01},
        {"operation": "chat", "calls": 4, "workers": 2, "messages": 20, "interval": 0.01},
    )

    say, count, chat = await run(plan, asyncio.Event())

    assert (say["calls"], say["failed"], say["statuses"]) == (500, 0, {"OK": 500})
    assert 0 < say["latency_ms"]["p50"] <= say["latency_ms"]["p99"] <= say["latency_ms"]["max"]
    for stream in (count, chat):
        figures = ("calls", "failed", "messages", "lost_messages")
        assert [stream[name] for name in figures] == [4, 0, 80, 0]


async def test_an_answer_of_another_server_is_seen(server: Server) -> None:
    """However right it is otherwise."""
    plan = server.plan(
        {"name": "its own", "operation": "say", "calls": 10, "instance": socket.gethostname()},
        {"name": "another's", "operation": "say", "calls": 10, "instance": "another"},
    )

    own, another = await run(plan, asyncio.Event())

    assert own["statuses"] == {"OK": 10}
    assert another["statuses"] == {"WRONG_ANSWER": 10}


async def test_a_server_that_dies_is_seen(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Failed calls are reported with their time and status, and lost messages are counted."""

    async def shown(progress: str) -> bool:
        return re.search(progress, capsys.readouterr().err) is not None

    stop = asyncio.Event()
    plan = server.plan(
        {"operation": "say", "calls": 200, "workers": 4, "rate": 200},
        {"operation": "count", "calls": 1, "messages": 50, "interval": 60},
        hold=True,
    ).model_copy(update={"progress": 0.01})
    running = asyncio.create_task(run(plan, stop))
    await until(partial(shown, r"say: [1-9]\d* calls, 0 failed"), "calls are answered")
    await server.grpc.stop(0)
    await until(partial(shown, r"say: .* [1-9]\d* failed; count: .* [1-9]\d* failed"), "they fail")
    stop.set()

    say, count = await running

    assert say["failed"] > 0
    assert say["calls"] == sum(say["statuses"].values()) >= 200
    assert say["statuses"]["UNAVAILABLE"] > 0
    assert say["first_failures"][0]["began"] <= say["first_failures"][0]["ended"]
    assert count["failed"] > 0
    assert count["lost_messages"] > 0
    assert "of 50 messages" in count["first_failures"][0]["detail"]


async def test_the_pace_is_kept() -> None:
    """A rate is not exceeded; at most one second is made up for after a stall."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    load = Load(name="say", operation="say", calls=1000, rate=100)
    turns = Turns(load, hold=False, stop=asyncio.Event(), clock=Clock(lambda: now, sleep))
    for _ in range(100):
        await turns.take()
    assert now == pytest.approx(1)
    now += 60
    for _ in range(200):
        await turns.take()
    assert now == pytest.approx(62, abs=0.02)


async def test_http_failures_are_seen_and_never_sent_again() -> None:
    """A REST answer with another status, a wrong answer and a broken connection all count."""
    requests: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        requests.append(request.path)
        number = int(request.path.rsplit("/", 1)[1])
        if number == 1:
            return web.json_response({"code": 14, "message": "no upstream"}, status=503)
        if number == 2:
            return web.json_response({"number": 7})
        if number == 3 and request.transport is not None:
            request.transport.close()
        return web.json_response({"number": number})

    load = {"name": "rest", "operation": "say", "protocol": "rest-get", "calls": 5}
    load["package"] = f"load.t{uuid.uuid4().hex[:8]}"
    async with _http_server(answer) as target:
        plan = Plan.model_validate({"target": target, "loads": [load]})
        (rest,) = await run(plan, asyncio.Event())

    assert len(requests) == 5
    assert rest["statuses"] == {
        "OK": 2,
        "HTTP 503": 1,
        "WRONG_ANSWER": 1,
        "ServerDisconnectedError": 1,
    }
    assert "no upstream" in rest["first_failures"][0]["detail"]


async def test_streams_over_http_that_are_cut_are_seen() -> None:
    """A JSON array with fewer messages or without its end, and frames without the last message."""
    frame, end = b"\0\0\0\0", b"\x80\0\0\0\x0fgrpc-status:0\r\n"
    messages = [frame + b"\0", frame + b"\2\x08\1"]
    bodies = {
        "GET": [b'[{},{"position":1}]', b"[{}]", b'[{},{"position":1}'],
        "POST": [b"".join([*messages, end]), messages[0] + end, b"".join(messages)],
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bodies[request.method].pop(0))

    load = {"operation": "count", "calls": 3, "messages": 2}
    load["package"] = f"load.t{uuid.uuid4().hex[:8]}"
    loads = [{**load, "name": name, "protocol": name} for name in ("rest-get", "grpc-web")]
    async with _http_server(answer) as target:
        plan = Plan.model_validate({"target": target, "loads": loads})
        rest, grpc_web = await run(plan, asyncio.Event())

    assert rest["statuses"] == {"OK": 1, "WRONG_ANSWER": 2}
    assert rest["lost_messages"] == 3
    assert grpc_web["statuses"] == {"OK": 1, "WRONG_ANSWER": 1, "grpc-status none": 1}
    assert grpc_web["lost_messages"] == 1


@asynccontextmanager
async def _http_server(answer: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def test_frames_of_grpc_web_are_split() -> None:
    """Messages and trailers, as PROTOCOL-WEB has them."""
    body = b"\0\0\0\0\2hi" + b"\x80\0\0\0\x1dgrpc-status:5\r\ngrpc-message:x"

    assert split_frames(body) == ([b"hi"], {"grpc-status": "5", "grpc-message": "x"})


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ({"operation": "chat", "protocol": "rest-get"}, "protocol: chat is a stream; use grpc"),
        ({"operation": "count", "protocol": "rest-post"}, "use grpc or grpc-web or rest-get"),
        ({"operation": "create-user", "protocol": "rest-get"}, "use rest-post"),
        ({"operation": "say", "calls": 0}, "calls"),
        ({"operation": "say", "sped": 1}, "sped"),
        ({"operation": "shout"}, "operation"),
    ],
)
def test_a_wrong_plan_is_refused_by_name(load: dict[str, Any], message: str) -> None:
    """The message names the field."""
    plan = {"target": "localhost:1", "loads": [{"name": "x", "calls": 1, **load}]}

    with pytest.raises(ValidationError, match=message):
        Plan.model_validate(plan)


def test_a_plan_is_read_from_json() -> None:
    """Defaults are filled in."""
    plan = read_plan(
        '{"target": "localhost:1", "loads": [{"name": "x", "operation": "say", "calls": 1}]}'
    )

    assert plan.loads[0].protocol == "grpc"
    assert not plan.hold
