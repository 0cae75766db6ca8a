"""The example servers besides their methods: authentication, reflection, faults, the end."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from grpc_service_kit.testing.processes import ServerProcess
from tests.clients import toolchain
from tests.clients.example_servers import running
from tests.unit.cli import run
from tests.waiting import HANG, until
from user.v1 import user_pb2, user_pb2_grpc

pytestmark = pytest.mark.clients

Start = Callable[..., ServerProcess]
SERVICE = "user.v1.UserService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
ANNOTATIONS = "google/api/annotations.proto"


@pytest.fixture(params=["Go", "Node.js"])
def start(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    variables: dict[str, str],
    tmp_path: Path,
) -> Iterator[Start]:
    """Starts servers of each language; keywords are environment variables."""
    numbers = count()
    with ExitStack() as stack:

        def start(**more: str) -> ServerProcess:
            log = tmp_path / f"{next(numbers)}.log"
            running_server = running(servers[request.param], {**variables, **more}, log)
            return stack.enter_context(running_server)

        yield start


def test_their_own_tests_pass(servers: dict[str, str], variables: dict[str, str]) -> None:
    """Faults of a repository: what a panic and an exception are to the client and in the log."""
    toolchain.run(toolchain.commands("Test", toolchain.SERVERS), variables)


def test_wrong_settings_are_named(start: Start) -> None:
    server = start(GRPC_DRAIN_SECONDS="soon", LAME_DUCK_SECONDS="-1")

    assert server.end() == 2
    assert [line.partition(":")[0] for line in server.lines] == [
        "GRPC_DRAIN_SECONDS",
        "LAME_DUCK_SECONDS",
    ]


@pytest.mark.parametrize("token", ["", "secret"])
def test_grpcop_lint_finds_no_mistake(start: Start, token: str) -> None:
    """Whether it asks for a token or not."""
    server = start(LAME_DUCK_SECONDS="0", AUTH_TOKEN=token)
    options = ("--slow-reader", "--disruptive", "--pid", str(server.process.pid))
    credentials = ("--needs-credentials",) if token else ()
    ran = run("lint", "--server", server.target, *options, *credentials)

    assert (ran.code, ran.out) == (0, ""), ran.err


@pytest.mark.parametrize("sent", [None, "Bearer wrong", "Basic secret", "secret", "Bearer "])
async def test_only_the_probes_and_the_gateway_need_no_token(
    start: Start, sent: str | None
) -> None:
    """Unary calls and streams of the service do; the health and reflection do not."""
    metadata = () if sent is None else (("authorization", sent),)
    async with grpc.aio.insecure_channel(start(AUTH_TOKEN="secret").target) as channel:
        users: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(channel)
        create = user_pb2.CreateUserRequest(email="ada@example.com", name="Ada")
        with pytest.raises(grpc.aio.AioRpcError) as unary:
            await users.CreateUser(create, metadata=metadata, timeout=HANG)
        page = user_pb2.ListUsersRequest()
        with pytest.raises(grpc.aio.AioRpcError) as stream:
            await users.ListUsers(page, metadata=metadata, timeout=HANG).read()
        assert {unary.value.code(), stream.value.code()} == {grpc.StatusCode.UNAUTHENTICATED}

        right = (("authorization", "Bearer secret"),)
        await users.CreateUser(create, metadata=right, timeout=HANG)
        listed = [user async for user in users.ListUsers(page, metadata=right, timeout=HANG)]
        assert [user.name for user in listed] == ["Ada"]
        health = health_pb2_grpc.HealthStub(channel)
        checked = await health.Check(health_pb2.HealthCheckRequest(), timeout=HANG)
        watched = await health.Watch(health_pb2.HealthCheckRequest(service=SERVICE)).read()
        assert {checked.status, watched.status} == {SERVING}
        assert await _files(channel, file_containing_symbol=SERVICE)


async def test_reflection_has_the_options_of_rest(start: Start) -> None:
    """A gateway reads google.api.http there; without the option it would offer no REST."""
    async with grpc.aio.insecure_channel(start().target) as channel:
        files = await _files(channel, file_containing_symbol=f"{SERVICE}.GetUser")
        by_name = {file.name: file for file in files}
        for missing in set(by_name["user/v1/user.proto"].dependency) - set(by_name):
            by_name |= {f.name: f for f in await _files(channel, file_by_filename=missing)}

    here = descriptor_pb2.FileDescriptorProto()
    user_pb2.DESCRIPTOR.CopyToProto(here)
    assert by_name["user/v1/user.proto"].service == here.service
    assert b"/v1/users/{id}" in by_name["user/v1/user.proto"].service[0].SerializeToString()
    assert ANNOTATIONS in by_name


async def _files(
    channel: grpc.aio.Channel, **wanted: str
) -> list[descriptor_pb2.FileDescriptorProto]:
    request = reflection_pb2.ServerReflectionRequest(**wanted)
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = [one async for one in stub.ServerReflectionInfo(iter([request]), timeout=HANG)]
    return [
        descriptor_pb2.FileDescriptorProto.FromString(file)
        for file in answer.file_descriptor_response.file_descriptor_proto
    ]


async def test_a_deadline_ends_a_stream_that_waits_for_its_client(start: Start) -> None:
    async with grpc.aio.insecure_channel(start().target) as channel:
        users: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(channel)
        call = users.SyncUsers(timeout=0.5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        page = users.ListUsers(user_pb2.ListUsersRequest(), timeout=HANG)
        assert [user async for user in page] == []


async def test_sigterm_lets_running_and_new_calls_end(start: Start) -> None:
    """Health turns first; calls are still taken; then clients leave; running streams go on."""
    server = start(GRPC_DRAIN_SECONDS="600", LAME_DUCK_SECONDS="3")
    async with grpc.aio.insecure_channel(server.target) as channel:
        users: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        watches = [
            health.Watch(health_pb2.HealthCheckRequest(service=name), timeout=HANG)
            for name in ("", SERVICE)
        ]
        assert {(await watch.read()).status for watch in watches} == {SERVING}
        running_call = users.SyncUsers(timeout=HANG)
        assert await _synced(running_call, "before") == user_pb2.SYNC_STATUS_CREATED

        server.terminate()

        assert {(await watch.read()).status for watch in watches} == {NOT_SERVING}
        checked = await health.Check(health_pb2.HealthCheckRequest(), timeout=HANG)
        assert checked.status == NOT_SERVING
        late = user_pb2.CreateUserRequest(email="late@example.com", name="Late")
        assert (await users.CreateUser(late, timeout=HANG)).user.name == "Late"
        # Ended by the server at the end of the lame duck period, as they would keep it from ending.
        for watch in watches:
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await watch.read()
            assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        await until(lambda: _is_refused(users), "new calls are refused")
        assert await _synced(running_call, "after") == user_pb2.SYNC_STATUS_CREATED
        await running_call.done_writing()
        assert await running_call.code() is grpc.StatusCode.OK
    assert await asyncio.to_thread(server.end) == 0
    assert "stopped" in server.lines[-1]


async def test_the_drain_has_a_limit(start: Start) -> None:
    """A stream that does not end is told to go elsewhere, and the process ends in time."""
    server = start(GRPC_DRAIN_SECONDS="2", LAME_DUCK_SECONDS="0")
    async with grpc.aio.insecure_channel(server.target) as channel:
        users: user_pb2_grpc.UserServiceAsyncStub = user_pb2_grpc.UserServiceStub(channel)
        call = users.SyncUsers(timeout=HANG)
        await _synced(call, "before")
        server.terminate()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await asyncio.to_thread(server.end) == 0


async def _is_refused(users: "user_pb2_grpc.UserServiceAsyncStub") -> bool:
    try:
        await users.ListUsers(user_pb2.ListUsersRequest(), timeout=HANG).read()
    except grpc.aio.AioRpcError as error:
        return error.code() is grpc.StatusCode.UNAVAILABLE
    return False


async def _synced(
    call: "grpc.aio.StreamStreamCall[user_pb2.SyncUsersRequest, user_pb2.SyncUsersResponse]",
    name: str,
) -> user_pb2.SyncStatus.ValueType:
    user = user_pb2.User(email=f"{name}@example.com", name=name)
    await call.write(user_pb2.SyncUsersRequest(user=user))
    answer = await call.read()
    assert isinstance(answer, user_pb2.SyncUsersResponse)
    return answer.status
