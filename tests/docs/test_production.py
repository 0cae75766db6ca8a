"""docs/production.md: its names and defaults are true, and its symptoms are real ones."""

import asyncio
import pkgutil
import re
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

import grpc_service_kit.server
from grpc_service_kit import ServerConfig, Service, build_server, run
from grpc_service_kit.client import ClientConfigError, ClientOptions, RetryPolicy, connect
from grpc_service_kit.options import channel_arguments
from grpc_service_kit.testing.processes import server_processes
from tests.docs.pages import ROOT, section, spans
from tests.docs.tutorial_calls import ask, begun, failure, read, to, watch, while_it_runs
from tests.docs.tutorial_server import ASK, NAME, Mistakes, add, serving
from tests.docs.tutorial_settings import client_options, default, same, spec_field, variables
from tests.waiting import HANG

PAGE = ROOT / "docs" / "production.md"
MISTAKES = re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)
PARTS = ["You see", "Why", "Operator", "Kit", "Yours"]
_OTHER_WORDS = {"GRPC_TARGET", "GRPC_SERVICE_CONFIG", "ENTRYPOINT", "ASYNC", "NAME"}
_OTHER_OPTIONS = {"round_robin", "idempotency_level", "too_many_pings"}
_OLD = 'syntax = "proto3"; package a.v1; message Quote { string text = 1; }'
_NEW = 'syntax = "proto3"; package a.v1; message Quote { string text = 2; }'


def section_text(heading: str) -> str:
    """Returns a section as one line."""
    return " ".join(section(PAGE, f"## {heading}").split())


@pytest.fixture
async def bare() -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server without the kit."""
    server = grpc.aio.server()
    add(Mistakes(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with to(port) as channel:
        yield channel
    await server.stop(0)


# What the page names


@pytest.mark.parametrize("heading", MISTAKES)
def test_each_mistake_is_described_in_the_same_order_and_briefly(heading: str) -> None:
    text = section(PAGE, f"## {heading}")

    assert re.findall(r"^- \*\*([\w ]+)\*\*", text, re.MULTILINE) == PARTS
    assert len(text.strip().splitlines()) <= 14


def test_every_name_exists() -> None:
    """Variables, options, metrics and what can be imported; fields are test_docs.py's."""
    codes = {code.name for code in grpc.StatusCode}
    health = set(health_pb2.HealthCheckResponse.ServingStatus.keys())
    named = set(spans(PAGE))
    upper = {name for name in named if re.fullmatch(r"[A-Z_]{3,}", name)}
    lower = {name for name in named if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)}
    metrics = {name for name in lower if name.startswith("grpc_server_")}
    options = {name for name in lower - metrics if name not in _OTHER_OPTIONS}

    assert upper - codes - health - _OTHER_WORDS <= variables()
    assert options <= client_options().keys()
    assert metrics
    assert metrics <= set(re.findall(r"grpc_server_\w+", _served()))
    for name in named:
        if name.startswith(("grpc_service_kit.", "context.")):
            pkgutil.resolve_name(name.replace("context.", "grpc_service_kit.context.", 1))


def _served() -> str:
    """The names of the kit's metrics."""
    registry = CollectorRegistry()

    async def build() -> None:
        build_server(ServerConfig(), Service(add, Mistakes()), registry=registry)

    asyncio.run(build())
    families = list(registry.collect())
    return "\n".join(
        f"{family.name}_total" if family.type == "counter" else family.name for family in families
    )


def test_every_default_is_true() -> None:
    """`NAME` (value), and value (`spec.x`) where the description says what an unset field does."""
    text = PAGE.read_text()
    defaults = re.findall(r"`([\w.]+)`\s\(([^)`]+)\)", text)
    unset = re.findall(r"(\d+) (s|h|times) \(`(spec\.[\w.]+)`\)", text)

    assert len(defaults) > 15
    assert [
        f"{name} is not {value}" for name, value in defaults if not same(value, default(name))
    ] == []
    assert len(unset) == 3
    for number, unit, name in unset:
        amount = number if unit == "times" else f"{number}{unit}"
        assert re.search(rf"\b{amount}\b", spec_field(name)["description"]), name


def test_a_default_that_is_not_true_is_found() -> None:
    assert same("60 s", default("DEFAULT_DEADLINE_SECONDS"))
    assert not same("61 s", default("DEFAULT_DEADLINE_SECONDS"))
    assert not same("off", default("REFLECTION"))
    assert not same("off", default("MAX_CONNECTION_AGE_SECONDS"))
    with pytest.raises(KeyError):
        default("DEFAULT_DEADLINE")


# What the page says that one sees


async def test_no_deadline() -> None:
    """The kit ends the call, and says so; without, it would hang."""
    async with serving(default_deadline_seconds=0.2) as server, to(server.port) as channel:
        said = await failure(ask(channel, "for ever"))

    seconds = f"{default('DEFAULT_DEADLINE_SECONDS'):g}"
    assert f"`{said.replace('0.2', seconds)}`" in section_text("No deadline")


async def test_no_health_check(bare: grpc.aio.Channel, unused_tcp_port: int) -> None:
    """A server that does not listen yet, one without the service, one whose database is away."""

    async def check() -> None:
        raise OSError("the database is away")

    async with to(unused_tcp_port) as channel:
        refused = await failure(ask(channel))
    request = health_pb2.HealthCheckRequest
    unknown = await failure(health_pb2_grpc.HealthStub(bare).Check(request()))
    async with serving(check=check) as server, to(server.port) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        service = (await health.Check(request(service=NAME))).status
        process = (await health.Check(request(service=""))).status

    shown = refused.replace(f"127.0.0.1:{unused_tcp_port}", "10.0.0.7:50051")
    assert f"`{shown}`" in section_text("No health check")
    assert f"`{unknown}`" in section_text("No health check")
    assert service == health_pb2.HealthCheckResponse.NOT_SERVING
    assert process == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(("make", "busy"), [(grpc.aio.insecure_channel, 1), (connect, 2)])
async def test_balancing_connections(make: Callable[[str], grpc.aio.Channel], busy: int) -> None:
    """Two servers behind one name: gRPC's own default keeps to one, the kit's takes both."""
    one, two = Mistakes(), Mistakes()
    async with (
        serving(one) as first,
        serving(two) as second,
        make(f"ipv4:127.0.0.1:{first.port},127.0.0.1:{second.port}") as channel,
    ):
        await ask(channel, wait_for_ready=True, timeout=HANG)
        while busy == 2 and not (one.asked and two.asked):  # until both are connected
            await ask(channel, timeout=HANG)
        before = one.asked, two.asked
        for _ in range(20):
            await ask(channel, timeout=HANG)

    shares = (one.asked - before[0], two.asked - before[1])
    assert sorted(shares) == ([0, 20] if busy == 1 else [10, 10])


async def test_new_pods_and_streams_without_bounds() -> None:
    """A connection ends when it is old: streams get a status, and other calls do not notice."""
    age: dict[str, Any] = {
        "max_connection_age_seconds": 0.2,
        "max_connection_age_grace_seconds": 3,  # enough for a call that had begun before
    }
    async with serving(**age) as server, to(server.port) as channel:
        call = watch(channel)
        calling = asyncio.ensure_future(while_it_runs(channel, call))
        said = await failure(read(call))
        await calling
    assert f"`{said}`" in section_text("Streams without bounds")


async def test_large_messages() -> None:
    async with serving() as server, to(server.port) as channel:
        request = await failure(ask(channel, "x" * 5_000_000))
        answer = await failure(ask(channel, "x * 5000000"))

    assert f"`{request}`" in section_text("Large messages")
    assert answer == request.replace("Received", "Sent")


def test_a_blocking_method_is_refused_at_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    class Blocking(Mistakes):
        def Ask(self, request: Any, _context: Any) -> Any:  # noqa: N802
            return request

    async def serve() -> None:
        build_server(ServerConfig(), Service(add, Blocking()), registry=CollectorRegistry())

    assert run(serve) == 2
    assert capsys.readouterr().err.split("`")[0].strip() in section_text(
        "Blocking calls in asyncio"
    )


async def test_retries_of_the_methods_that_are_named() -> None:
    """Without a name a call fails at once, and is made only once."""
    retry = ClientOptions(retry=RetryPolicy(methods=(ASK.removeprefix("/"),)))
    once, again = Mistakes(), Mistakes()
    async with serving(once) as server, connect(f"127.0.0.1:{server.port}") as channel:
        said = await failure(ask(channel, "away at first"))
    async with serving(again) as server, connect(f"127.0.0.1:{server.port}", retry) as channel:
        answer = await ask(channel, "away at first")

    assert (said, once.asked) == ("UNAVAILABLE: the database is away", 1)
    assert (answer, again.asked) == ("away at first", 2)


async def test_breaking_changes() -> None:
    """What a changed number held is empty; a method that changed its name is not there."""
    renumbered = b"\x12\x05hello"  # Field 2 with what has been field 1.
    async with serving() as server, to(server.port) as channel:
        method: Any = channel.unary_unary
        answer = await method(ASK, response_deserializer=StringValue.FromString)(renumbered)
        renamed = await failure(method(f"/{NAME}/Asked")(b""))
        garbage = await failure(method(ASK)(b"\xff"))

    assert answer.value == ""
    assert f"`{renamed}`" in section_text("Breaking changes of the proto")
    assert garbage.startswith("INTERNAL: ")


def test_buf_finds_breaking_changes(tmp_path: Path) -> None:
    for folder, text in (("old", _OLD), ("new", _NEW)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.proto").write_text(text)
    buf = Path(sysconfig.get_path("scripts"), "buf")
    done = subprocess.run(
        [buf, "breaking", tmp_path / "new", "--against", tmp_path / "old"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 'field "1" with name "text" on message "Quote" was deleted' in done.stdout
    assert done.returncode != 0


@pytest.mark.parametrize("reflection", [True, False])
async def test_reflection(reflection: bool) -> None:  # noqa: FBT001 - a case
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async with serving(reflection=reflection) as server, to(server.port) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo([request])
        if reflection:
            names = [service.name for service in (await call.read()).list_services_response.service]
            assert NAME in names
        else:
            said = await failure(call.read())
            assert f"`{said}`" in section_text("No reflection in development, or in public")


async def test_errors_without_codes(bare: grpc.aio.Channel) -> None:
    page = section_text("Errors without codes")
    unknown = await failure(ask(bare, "raise"))
    async with serving() as server, to(server.port) as channel:
        named = {"metadata": [("x-request-id", "5d0f2c7e")]}
        internal = await failure(ask(channel, "raise", **named))
        refused = await failure(ask(channel, "refuse"))

    assert f"`{unknown}`" in page
    assert f"`{internal}`" in page
    assert refused == "INVALID_ARGUMENT: value: is refused; send another one"


def test_a_killed_process_drops_its_calls(tmp_path: Path) -> None:
    with server_processes("tests.docs.tutorial_server", tmp_path) as start:
        server = start()
        with grpc.insecure_channel(server.target) as channel:
            call = begun(channel, "for ever")
            server.process.kill()
            with pytest.raises(grpc.RpcError) as caught:
                call.result(timeout=HANG)
    said: Any = caught.value

    shown = re.findall(
        r"`(Socket closed|Connection reset by peer)`", section_text("No graceful shutdown")
    )
    assert said.code() is grpc.StatusCode.UNAVAILABLE
    assert any(text in said.details() for text in shown)


def test_a_process_that_gets_sigterm_finishes_its_calls(tmp_path: Path) -> None:
    """What ends in time ends well."""
    with server_processes("tests.docs.tutorial_server", tmp_path) as start:
        server = start(LAME_DUCK_SECONDS="0", GRPC_DRAIN_SECONDS=f"{HANG:g}")
        with grpc.insecure_channel(server.target) as channel:
            slow = begun(channel, "slow")
            server.terminate()

            assert slow.result(timeout=HANG).value == "slow"
        assert server.end() == 0


async def test_a_call_that_does_not_end_in_time_gets_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The words get as long as they need: the kit's second may not be enough on a busy machine."""
    monkeypatch.setattr(grpc_service_kit.server, "_FAREWELL_SECONDS", HANG)
    mistakes = Mistakes()
    settings: dict[str, Any] = {"lame_duck_seconds": 0, "drain_seconds": 0}
    async with serving(mistakes, **settings) as server, to(server.port) as channel:
        call = asyncio.ensure_future(failure(ask(channel, "for ever", timeout=HANG)))
        while not mistakes.asked:  # noqa: ASYNC110 - a servicer has no event
            await asyncio.sleep(0.01)
        await server.drain()
        said = await call

    assert f"`{said}`" in section_text("No graceful shutdown")


async def test_streams_can_end_themselves() -> None:
    async with (
        serving(lame_duck_seconds=0, drain_seconds=10 * HANG) as server,
        to(server.port) as channel,
    ):
        call = watch(channel)
        await anext(aiter(call))
        draining = asyncio.ensure_future(server.drain())
        await read(call)  # It ends without an error, long before the server must.
        await asyncio.wait_for(draining, HANG)

    assert await call.code() is grpc.StatusCode.OK


async def test_keepalive_too_often() -> None:
    """Pings that gRPC's own limits forbid; and what the kit allows, and refuses to send."""
    often = [
        ("grpc.keepalive_time_ms", 100),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    server = grpc.aio.server()
    add(Mistakes(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with to(port, *often) as channel:
        said = await failure(ask(channel, "for ever", timeout=HANG))
    await server.stop(0)
    page = section_text("Keepalive too often")

    assert f"`{said}`" in page
    allowed = dict(channel_arguments(ServerConfig()))[
        "grpc.http2.min_ping_interval_without_data_ms"
    ]
    assert f"allow a ping every {allowed // 1000} s; 10 s is the least" in page
    assert ClientOptions(keepalive_seconds=10)
    with pytest.raises(ClientConfigError, match="is not a number from 10 on"):
        ClientOptions(keepalive_seconds=9.9)
