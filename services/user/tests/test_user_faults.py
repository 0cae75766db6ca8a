"""No write is lost or doubled while database and service are killed at random under load."""

import asyncio
import random
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest

from grpc_service_kit.sql.url import parse_url
from grpc_service_kit.testing.polling import TIMEOUT, wait_until
from grpc_service_kit.testing.postgres import Postgres, free_port, postgres_server
from grpc_service_kit.testing.processes import environment
from grpc_service_kit.testing.sql import scalar
from user.v1 import user_pb2, user_pb2_grpc
from user_people import every_user
from user_service.store import UserStore

Stub: TypeAlias = "user_pb2_grpc.UserServiceAsyncStub"

WRITERS = 24
FAULTS = 10
OUTCOMES_UNKNOWN = {
    grpc.StatusCode.UNAVAILABLE,  # The service or its database is away.
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
}
"""What a client answers by sending the same request again. Anything else fails the test."""


@dataclass
class Service:
    """A server process on one port, which is killed and started again."""

    url: str
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting until it serves."""
        variables = {
            "PORT": str(self.port),
            "METRICS_PORT": "0",
            "DATABASE_URL": self.url,
            "LOG_LEVEL": "WARNING",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "user_service"], env=environment(**variables), stderr=log
            )

    def kill(self) -> None:
        """Kill it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def restart(self) -> None:
        """Kill it and start it again; also when it had ended by itself, as it must not."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        self.kill()
        self.start()


@dataclass
class Writers:
    """Clients that create users and send each request until it is acknowledged."""

    stubs: Sequence[Stub]
    seed: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    """User ids by e-mail address."""
    codes: Counter[grpc.StatusCode] = field(default_factory=Counter)
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)
    done: bool = False

    async def write(self, writer: int) -> None:
        """Create users, one after the other."""
        chance = random.Random(f"{self.seed} {writer}")  # noqa: S311 to be repeated
        number = 0
        while not self.done:
            email = f"{writer}-{number}@example.com"
            request = user_pb2.CreateUserRequest(
                email=email, name="N", request_id=str(uuid.UUID(int=chance.getrandbits(128)))
            )
            user = await self._until_acknowledged(request, chance)
            assert (user.email, user.name) == (email, "N")
            async with self.progress:
                self.acknowledged[email] = user.id
                self.progress.notify_all()
            number += 1

    async def _until_acknowledged(
        self, request: user_pb2.CreateUserRequest, chance: random.Random
    ) -> user_pb2.User:
        while True:
            try:
                return (await chance.choice(self.stubs).CreateUser(request, timeout=5)).user
            except grpc.aio.AioRpcError as error:
                if error.code() not in OUTCOMES_UNKNOWN:
                    raise
                self.codes[error.code()] += 1
                await asyncio.sleep(chance.uniform(0, 0.1))

    async def until_more(self, count: int) -> None:
        """Wait for so many further acknowledgements."""
        goal = len(self.acknowledged) + count
        async with asyncio.timeout(5 * TIMEOUT), self.progress:
            await self.progress.wait_for(lambda: len(self.acknowledged) >= goal)


async def run(
    services: Sequence[Service],
    faults: Sequence[Callable[[], Awaitable[None]]],
    seed: int,
) -> Writers:
    """Write under faults, then let every writer come to an end."""
    chance = random.Random(seed)  # noqa: S311 to be repeated
    options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 300)]
    async with AsyncExitStack() as stack:
        stubs = []
        for service in services:
            service.start()
            stack.callback(service.kill)
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{service.port}", options)
            stubs.append(user_pb2_grpc.UserServiceStub(await stack.enter_async_context(channel)))
        writers = Writers(stubs, seed)
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(writers.write(number))
            for _ in range(FAULTS):
                await writers.until_more(chance.randint(20, 120))
                await chance.choice(faults)()
            await writers.until_more(60)
            writers.done = True
    return writers


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    """A PostgreSQL server that keeps what it has acknowledged."""
    with postgres_server(durable=True) as server:
        yield server


async def check(url: str, writers: Writers) -> None:
    """Every acknowledged user exists once, under the acknowledged id, and no other one is."""
    async with UserStore.open(parse_url(url)) as store:
        users = await every_user(store)
    assert len(users) == len(writers.acknowledged)
    assert {user.email: user.id for user in users} == writers.acknowledged
    count = await scalar(parse_url(url), "SELECT count(*) FROM create_requests")
    assert count == len(users)
    assert writers.codes[grpc.StatusCode.UNAVAILABLE] > 0, "no fault was felt"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_doubled_in_postgresql(
    durable: Postgres, tmp_path: Path, seed: int
) -> None:
    durable.sql(f"CREATE DATABASE faults_{seed}")
    url = durable.url(f"faults_{seed}")
    services = [Service(url, tmp_path / f"service-{n}.log") for n in range(2)]

    async def kill_the_server() -> None:
        durable.kill()
        await asyncio.to_thread(durable.start)

    async def kill_a_backend() -> None:
        # Just after a restart there may be none for a moment.
        await asyncio.to_thread(wait_until, durable.kill_one_backend)

    faults = [
        kill_the_server,
        kill_a_backend,
        *(service.restart for service in services),
    ]
    writers = await run(services, faults, seed)

    await check(url, writers)


@pytest.mark.timeout(300)
async def test_a_create_that_was_done_and_not_acknowledged_is_not_done_again(
    durable: Postgres, tmp_path: Path
) -> None:
    """The moment that random kills seldom hit: PostgreSQL has committed, and nobody hears of it.

    It comes about by a standby that does not exist: COMMIT writes to disk, then waits for it.
    """
    durable.sql("CREATE DATABASE done")
    service = Service(durable.url("done"), tmp_path / "service.log")
    request = user_pb2.CreateUserRequest(email="a@b", name="A", request_id=str(uuid.uuid4()))
    async with AsyncExitStack() as stack:
        service.start()
        stack.callback(service.kill)
        options = [("grpc.max_reconnect_backoff_ms", 300)]
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{service.port}", options)
        stub = user_pb2_grpc.UserServiceStub(await stack.enter_async_context(channel))
        await stub.ListUsers(
            user_pb2.ListUsersRequest(), wait_for_ready=True, timeout=TIMEOUT
        ).read()
        durable.set("synchronous_standby_names", "nobody")
        unheard = stub.CreateUser(request, timeout=TIMEOUT)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        await asyncio.to_thread(wait_until, lambda: durable.sql(waiting) == "1")
        service.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await unheard
        durable.set("synchronous_standby_names", "")
        service.start()

        answer = await stub.CreateUser(request, wait_for_ready=True, timeout=TIMEOUT)
        request.request_id = ""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CreateUser(request, timeout=TIMEOUT)
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS
    async with UserStore.open(parse_url(service.url)) as store:
        assert [user.id for user in await every_user(store)] == [answer.user.id]


@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_doubled_in_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/users.db"
    service = Service(url, tmp_path / "service.log")

    writers = await run([service], [service.restart], seed=3)

    await check(url, writers)
