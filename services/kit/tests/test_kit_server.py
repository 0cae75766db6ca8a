"""What a server is built from, what its health says, how its connections live."""

import asyncio
from functools import partial
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from grpc_service_kit import (
    ConfigError,
    Environment,
    ListenError,
    RegistrationError,
    ServerConfig,
    Service,
    build_server,
    context,
)
from grpc_service_kit.testing.polling import TIMEOUT
from kit_servers import (
    NAME,
    EchoServicer,
    add_echo,
    ask,
    begin,
    calling,
    channel_to,
    config,
    eventually,
    failure,
    serving,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Store:
    """Something that a service needs, which can be away."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.hangs = False

    async def ping(self) -> None:
        """Raise when it is away."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.problem is not None:
            raise self.problem


async def status(channel: grpc.aio.Channel, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


async def test_health_follows_what_the_service_needs_and_liveness_does_not() -> None:
    store = Store()
    async with calling(EchoServicer(), check=store.ping) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME))
        seen = [(await watch.read()).status]
        store.problem = OSError("the database is away")
        seen.append((await watch.read()).status)
        alive = await status(channel, "")
        store.problem = None
        seen.append((await watch.read()).status)
        store.hangs = True
        seen.append((await watch.read()).status)
        watch.cancel()

    assert seen == [SERVING, NOT_SERVING, SERVING, NOT_SERVING]
    assert alive == SERVING


async def test_a_service_whose_needs_are_away_at_the_start_is_not_serving() -> None:
    store = Store()
    store.problem = OSError("away")
    async with calling(EchoServicer(), check=store.ping) as channel:
        assert await status(channel, NAME) == NOT_SERVING
        assert await ask(channel, "UnaryUnary") == ["x"]


async def test_the_health_of_a_service_that_is_not_there_is_not_found() -> None:
    async with calling(EchoServicer()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await status(channel, "test.v1.Other")

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("reflection", [True, False])
async def test_reflection_is_an_option(reflection: bool) -> None:  # noqa: FBT001 a case
    async with serving(EchoServicer(), config(reflection=reflection)) as server:

        def services() -> list[str]:
            target = f"127.0.0.1:{server.port}"
            with grpc.insecure_channel(target) as channel:
                return list(ProtoReflectionDescriptorDatabase(channel).get_services())

        if reflection:
            assert NAME in await asyncio.to_thread(services)
            return
        with pytest.raises(grpc.RpcError) as caught:
            await asyncio.to_thread(services)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_instance_is_named_before_the_first_answer() -> None:
    settings = config(instance_metadata=True, instance="pod-7")
    async with calling(EchoServicer(), settings) as channel:
        for kind in ("UnaryUnary", "StreamStream"):
            call = begin(channel, kind)
            assert ("x-instance", "pod-7") in tuple(await call.initial_metadata())
            call.cancel()


async def test_a_server_needs_services_each_once() -> None:
    echo = Service(add_echo, EchoServicer())
    with pytest.raises(RegistrationError, match="there is no service"):
        build_server(config())
    with pytest.raises(RegistrationError, match=f"{NAME}: is served twice"):
        build_server(config(), echo, echo)
    with pytest.raises(RegistrationError, match="added 0 services"):
        build_server(config(), Service(lambda _servicer, _server: None, EchoServicer()))


@pytest.mark.parametrize("name", ["grpc.health.v1.Health", REFLECTION])
async def test_a_service_cannot_take_the_name_of_one_that_the_kit_serves(name: str) -> None:
    """Health checks and reflection need no token: nothing else is served by their names."""
    with pytest.raises(RegistrationError, match=f"{name}: is served twice"):
        build_server(config(), Service(partial(add_echo, name=name), EchoServicer()))


async def test_a_method_that_would_block_the_others_is_refused() -> None:
    class Servicer(EchoServicer):
        def UnaryUnary(self, request: Any, _context: Any) -> Any:  # noqa: N802
            return request

    with pytest.raises(RegistrationError, match=f"{NAME}/UnaryUnary: is a plain function"):
        build_server(config(), Service(add_echo, Servicer()))


async def test_a_port_that_is_in_use_is_reported() -> None:
    async with serving(EchoServicer()) as server:
        with pytest.raises(ListenError, match=f"PORT: cannot listen on {server.port}"):
            async with serving(EchoServicer(), config(port=server.port)):
                pass


async def test_an_interceptor_of_ones_own_runs_inside() -> None:
    async def refuse(_call: Any, _request: Any) -> Any:
        raise PermissionError("private")

    async with (
        serving(EchoServicer(), None, lambda _method, _proceed: refuse) as server,
        channel_to(server) as channel,
    ):
        assert (await failure(channel, "UnaryUnary")).code() is grpc.StatusCode.INTERNAL


async def test_clients_are_asked_to_connect_anew_after_a_while() -> None:
    """GOAWAY: the call that runs ends well, the next one takes another connection."""
    peers: set[str] = set()

    async def act(_request: Any, context: Any) -> None:
        peers.add(context.peer())
        await asyncio.sleep(0.01)

    settings = config(max_connection_age_seconds=0.2, max_connection_age_grace_seconds=60)
    async with calling(EchoServicer(act), settings) as channel:

        async def call() -> bool:
            return await ask(channel, "UnaryStream") == ["x", "x", "x"] and len(peers) > 2

        while not await asyncio.wait_for(call(), TIMEOUT):
            pass

    assert len(peers) > 2


async def test_streams_without_an_end_can_see_that_the_server_ends() -> None:
    started = asyncio.Event()

    async def act(_request: Any, _context: Any) -> None:
        started.set()
        draining = context.draining.get()
        assert draining is not None
        await draining.wait()

    async with (
        serving(EchoServicer(act), config(drain_seconds=600)) as server,
        channel_to(server) as channel,
    ):
        call = begin(channel, "UnaryStream")
        await started.wait()
        draining = asyncio.ensure_future(server.drain())
        assert [answer.value async for answer in call] == ["x"] * 3
        await asyncio.wait_for(draining, TIMEOUT)


def test_defaults_and_every_variable() -> None:
    assert ServerConfig.from_env({"HOSTNAME": "localhost"}) == ServerConfig()
    config_ = ServerConfig.from_env(
        {
            "DEFAULT_DEADLINE_SECONDS": "off",
            "GRPC_DRAIN_SECONDS": "10",
            "HEALTH_CHECK_SECONDS": "1",
            "HOSTNAME": "pod-0",
            "INSTANCE_METADATA": "on",
            "LAME_DUCK_SECONDS": "2.5",
            "LOG_FORMAT": "TEXT",
            "LOG_LEVEL": "debug",
            "MAX_CONCURRENT_CALLS": "20",
            "MAX_CONNECTION_AGE_GRACE_SECONDS": "5",
            "MAX_CONNECTION_AGE_SECONDS": "off",
            "MAX_MESSAGE_BYTES": "1048576",
            "MAX_METADATA_BYTES": "8192",
            "MAX_STREAMS_PER_CONNECTION": "10",
            "METRICS_PORT": "off",
            "PORT": "0",
            "REFLECTION": "off",
        }
    )
    assert config_ == ServerConfig(
        default_deadline_seconds=None,
        drain_seconds=10,
        health_check_seconds=1,
        instance="pod-0",
        instance_metadata=True,
        lame_duck_seconds=2.5,
        log_format="text",
        log_level="DEBUG",
        max_concurrent_calls=20,
        max_connection_age_grace_seconds=5,
        max_connection_age_seconds=None,
        max_message_bytes=1048576,
        max_metadata_bytes=8192,
        max_streams_per_connection=10,
        metrics_port=None,
        metrics_port_is_set=True,
        port=0,
        reflection=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("PORT", "\u0661", "a whole number from 0 to 65535"),
        ("METRICS_PORT", "none", "a whole number from 0 to 65535, or to off"),
        ("GRPC_DRAIN_SECONDS", "nan", "seconds from 0 to 86400, such as 5"),
        ("GRPC_DRAIN_SECONDS", "inf", "seconds from 0 to 86400, such as 5"),
        (
            "MAX_CONNECTION_AGE_SECONDS",
            "long",
            "seconds from 1 to 3600, such as 5, or to off",
        ),
        ("MAX_MESSAGE_BYTES", "1", "a whole number from 1024 to 1073741824"),
        ("MAX_CONCURRENT_CALLS", "0", "a whole number from 1 to 1000000"),
        ("REFLECTION", "yes", "on or off"),
        ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_wrong_value_is_reported_with_what_is_allowed(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        ServerConfig.from_env({name: value})

    assert str(caught.value) == f"{name}: {value!r} is not allowed; set it to {allowed}"


def test_an_empty_variable_counts_as_unset() -> None:
    environment = Environment({"PORT": "", "A": "", "LIST": "a, b c"})
    assert environment.port("PORT", 7) == 7
    assert environment.text("A", "default") == "default"
    assert environment.words("LIST") == ("a", "b", "c")
    environment.check()


async def test_the_checks_end_with_the_server() -> None:
    count = 0

    async def check() -> None:
        nonlocal count
        count += 1

    async with serving(EchoServicer(), check=check):
        await eventually(lambda: count > 2)
    ended = count
    await asyncio.sleep(0.2)
    assert count == ended
