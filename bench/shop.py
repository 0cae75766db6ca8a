"""The shop under load while its database fails over, or behind a pooler: what callers see of it."""

import asyncio
import shutil
import subprocess
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.type import money_pb2

from bench.figures import Figure, percentile
from grpc_service_kit.testing.address import Address
from grpc_service_kit.testing.pgbouncer import pgbouncer_before
from grpc_service_kit.testing.polling import wait_until
from grpc_service_kit.testing.postgres import Postgres, account, leave_root, postgres_server
from grpc_service_kit.testing.processes import ServerProcess, server_processes
from order.v1 import order_pb2, order_pb2_grpc
from product.v1 import product_pb2, product_pb2_grpc
from user.v1 import user_pb2, user_pb2_grpc

SERVICES = ("user", "product", "order")
READ_ONLY = "default_transaction_read_only"
_INSIST_SECONDS = 30.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much load there is."""

    seconds: float
    calls_per_second: int = 50


async def shop(size: Size, say: Say) -> list[Figure]:
    """Returns the figures of each fault."""
    return [*await _failover(size, say), *await _pooled(size, say)]


async def _failover(size: Size, say: Say) -> list[Figure]:
    with postgres_server() as primary:
        _create_databases(primary)
        address = Address(primary.port)
        async with address.listening(), _shop(_urls(address.port), say) as load:
            with _standby_of(primary) as standby:
                say("shop: fails over in the middle")
                running = asyncio.create_task(load.run(size))
                await asyncio.sleep(size.seconds / 2)
                await _fail_over(primary, standby, address)
                await running
                return load.figures("failover", standby)


async def _fail_over(old: Postgres, new: Postgres, address: "Address") -> None:
    """What was the primary stays up, read-only; new connections go to the other server."""
    await asyncio.to_thread(old.set, READ_ONLY, "on")
    position = await asyncio.to_thread(old.sql, "SELECT pg_current_wal_lsn()")
    replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
    await asyncio.to_thread(wait_until, lambda: new.sql(replayed) == "t")
    address.target = new.port
    await asyncio.to_thread(new.sql, "SELECT pg_promote()")


async def _pooled(size: Size, say: Say) -> list[Figure]:
    with postgres_server() as server:
        _create_databases(server)
        settings = {"pool_mode": "transaction", "default_pool_size": 4, "max_client_conn": 500}
        with pgbouncer_before(server, **settings) as bouncer:
            urls = {name: f"{bouncer.url(f'{name}s')}?pgbouncer=true" for name in SERVICES}
            async with _shop(urls, say) as load:
                say("shop: all connections behind PgBouncer end three times")
                running = asyncio.create_task(load.run(size))
                for _ in range(3):
                    await asyncio.sleep(size.seconds / 4)
                    end = (
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE datname <> 'postgres' AND pid <> pg_backend_pid()"
                    )
                    await asyncio.to_thread(server.sql, end)
                await running
                return load.figures("PgBouncer", server)


def _urls(port: int) -> dict[str, str]:
    return {name: f"postgres://postgres@127.0.0.1:{port}/{name}s" for name in SERVICES}


def _create_databases(server: Postgres) -> None:
    for name in SERVICES:
        server.sql(f"CREATE DATABASE {name}s")


@contextmanager
def _standby_of(primary: Postgres) -> Iterator[Postgres]:
    """Runs a server that replicates another one."""
    directory = Path(tempfile.mkdtemp(prefix="standby-"))
    shutil.chown(directory, account().pw_uid, account().pw_gid)
    standby = Postgres(primary.binaries, directory)
    copy = ["pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    source = f"postgres://postgres@127.0.0.1:{primary.port}"
    command = [*leave_root(), str(primary.binaries / copy[0]), *copy[1:], "--dbname", source]
    try:
        subprocess.run([*command, "--pgdata", str(directory / "data")], check=True, cwd="/")
        standby.start()
        yield standby
    finally:
        standby.stop(forever=True)
        shutil.rmtree(directory)


@asynccontextmanager
async def _shop(urls: dict[str, str], say: Say) -> AsyncIterator["Load"]:
    """Runs one process of each service; yields the load for them."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shop-")))
        targets: dict[str, str] = {}
        for name in SERVICES:
            (directory / name).mkdir()
            start = stack.enter_context(server_processes(f"{name}_service", directory / name))
            variables = {f"{n.upper()}S_GRPC_TARGET": t for n, t in targets.items()}
            process = await asyncio.to_thread(start, DATABASE_URL=urls[name], **variables)
            targets[name] = await asyncio.to_thread(_target, process)
            say(f"shop: {name}_service serves")
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(targets[name]))
            for name in SERVICES
        ]
        yield await Load.of(*channels)


def _target(process: ServerProcess) -> str:
    return process.target


@dataclass
class Load:
    """Calls by the clock: users are created, orders placed, users read.

    Each call that fails is sent again with its request id until it is answered, as clients do.
    """

    users: Any
    orders: Any
    user: str
    product: str
    sent: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """Attempts that failed, by their code."""
    acknowledged: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"user": {}, "order": {}}
    )
    """Request ids with the ids of what they created."""
    seconds: list[float] = field(default_factory=list)
    unanswered: int = 0

    @classmethod
    async def of(cls, *channels: grpc.aio.Channel) -> "Load":
        """Makes a user and a product to use."""
        user = user_pb2_grpc.UserServiceStub(channels[0])
        product = product_pb2_grpc.ProductServiceStub(channels[1])
        made = await user.CreateUser(
            user_pb2.CreateUserRequest(email="first@example.com", name="Ada"), wait_for_ready=True
        )
        lamp = await product.CreateProduct(
            product_pb2.CreateProductRequest(
                name="Lamp",
                price=money_pb2.Money(currency_code="EUR", units=1),
                stock_quantity=1_000_000,
            ),
            wait_for_ready=True,
        )
        orders = order_pb2_grpc.OrderServiceStub(channels[2])
        return cls(user, orders, made.user.id, lamp.product.id)

    async def run(self, size: Size) -> None:
        """Makes the calls, and waits for the last answers."""
        begin, calls = time.monotonic(), []
        kinds = (self._create_user, self._place_order, self._read)
        for number in range(round(size.seconds * size.calls_per_second)):
            await asyncio.sleep(begin + number / size.calls_per_second - time.monotonic())
            calls.append(asyncio.create_task(self._insist(kinds[number % len(kinds)])))
        await asyncio.gather(*calls)

    async def _insist(self, call: Callable[[str], Awaitable[None]]) -> None:
        self.sent[call.__name__] += 1
        begin, request_id = time.monotonic(), str(uuid.uuid4())
        while time.monotonic() - begin < _INSIST_SECONDS:
            try:
                await call(request_id)
            except grpc.aio.AioRpcError as error:
                self.failures[error.code().name] += 1
                await asyncio.sleep(0.1)
            else:
                self.seconds.append(time.monotonic() - begin)
                return
        self.unanswered += 1

    async def _create_user(self, request_id: str) -> None:
        request = user_pb2.CreateUserRequest(
            email=f"{request_id}@example.com", name="Ada", request_id=request_id
        )
        answer = await self.users.CreateUser(request, timeout=10)
        self.acknowledged["user"][request_id] = answer.user.id

    async def _place_order(self, request_id: str) -> None:
        item = order_pb2.OrderItem(product_id=self.product, quantity=1)
        request = order_pb2.CreateOrderRequest(
            user_id=self.user, items=[item], request_id=request_id
        )
        answer = await self.orders.CreateOrder(request, timeout=10)
        self.acknowledged["order"][request_id] = answer.order.id

    async def _read(self, _request_id: str) -> None:
        await self.users.GetUser(user_pb2.GetUserRequest(id=self.user), timeout=10)

    def figures(self, fault: str, server: Postgres) -> list[Figure]:
        """Returns what became of the calls, and of what was written, in the database as it is."""
        users = set(server.sql("SELECT id FROM users", "users").splitlines()) - {self.user}
        orders = set(server.sql("SELECT id FROM orders", "orders").splitlines())
        made = {"user": users, "order": orders}
        lost = sum(len(set(self.acknowledged[k].values()) - made[k]) for k in made)
        doubled = sum(len(made[k] - set(self.acknowledged[k].values())) for k in made)
        failed = ", ".join(f"{count} {code}" for code, count in self.failures.items()) or "none"
        calls = sum(self.sent.values())
        return [
            Figure(f"shop, {fault}: acknowledged writes lost", lost, "", target=0),
            Figure(f"shop, {fault}: writes that nobody knows of", doubled, "", target=0),
            Figure(f"shop, {fault}: calls without an answer", self.unanswered, "", target=0),
            Figure(
                f"shop, {fault}: attempts that failed",
                sum(self.failures.values()),
                "",
                note=f"of {calls} calls; {failed}",
            ),
            Figure(
                f"shop, {fault}: slowest call",
                max(self.seconds),
                "s",
                note=f"99 %: {percentile(self.seconds, 0.99):.3f} s",
            ),
        ]
