"""The same program in three languages: what it prints, what it repeats, and how it ends."""

import asyncio
import contextlib
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from tests.clients import toolchain
from tests.clients.flaky import NAME, Flaky
from tests.clients.published import published
from tests.clients.world import INSTANCES, World
from tests.envoy.upstream import serving
from tests.waiting import HANG

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="package")]

CALLS = 200
STOCK = "deadline       WatchStock 5 in stock"
"""Comes when the server is faster than the deadline that the example is about."""

WATCHED = "watch          ORDER_STATUS_REJECTED"
WRONG = "items[0].quantity 0 is not allowed; send 1 to 10000"
EXPECTED = [
    "unary          CreateUser Ada",
    "safe retry     the same user: true",
    "round robin    200 calls: users-0 N, users-1 N",
    "client stream  BatchCreateUsers 2 created",
    "bidi stream    SyncUsers SYNC_STATUS_CREATED",
    "bidi stream    SyncUsers SYNC_STATUS_UNCHANGED",
    "bidi stream    SyncUsers SYNC_STATUS_UPDATED",
    "server stream  ListUsers 2 users, more follow: true",
    "order          ORDER_STATUS_CONFIRMED, 2 reserved",
    f"error          CreateOrder INVALID_ARGUMENT, {WRONG}, reason INVALID_ARGUMENT",
    "error          CreateOrder FAILED_PRECONDITION, reason INSUFFICIENT_STOCK",
    "deadline       WatchStock DEADLINE_EXCEEDED",
    "watch          ORDER_STATUS_PENDING",
    "watch          ORDER_STATUS_CONFIRMED",
    "watch          ORDER_STATUS_PENDING",
    WATCHED,
    "end            watch cancelled, channels closed",
]
_SHARE = re.compile(r"(users-\d) (\d+)")
LANGUAGES = pytest.mark.parametrize("language", ["Python", "Go", "TypeScript"])


@pytest.fixture(scope="module")
def programs(generated: None, variables: dict[str, str]) -> dict[str, str]:
    """The command line of each client; everything before it in the README builds it."""
    lines = {name: toolchain.commands(name) for name in ("Python", "Go", "TypeScript")}
    for name in lines:
        toolchain.run(lines[name][:-1], variables)
    return {name: lines[name][-1] for name in lines}


@pytest.fixture
def environment(variables: dict[str, str], world: World) -> dict[str, str]:
    """What the clients get."""
    # grpc-js asks the DNS server that a target names only with this variable.
    return {**variables, **world.variables, "GRPC_NODE_USE_ALTERNATIVE_RESOLVER": "true"}


@asynccontextmanager
async def started(
    line: str, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a client that is killed if it is still there."""
    process = await toolchain.start(line, environment)
    try:
        async with asyncio.timeout(HANG):
            yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def lines_until(process: asyncio.subprocess.Process, last: str) -> list[str]:
    """Returns what it prints, up to a line."""
    assert process.stdout is not None
    lines: list[str] = []
    while last not in lines:
        line = await process.stdout.readline()
        if not line:
            _, errors = await process.communicate()
            pytest.fail(f"it ended after {lines}:\n{errors.decode()}")
        lines.append(line.decode().rstrip())
    return lines


@LANGUAGES
async def test_every_kind_of_call(
    language: str, programs: dict[str, str], environment: dict[str, str]
) -> None:
    async with started(programs[language], environment) as process:
        lines = await lines_until(process, WATCHED)
        process.send_signal(signal.SIGTERM)
        output, errors = await process.communicate()
    lines += output.decode().splitlines()

    shares = {name: int(count) for name, count in _SHARE.findall(lines[2])}
    assert [_SHARE.sub(r"\1 N", line) for line in lines if line != STOCK] == EXPECTED
    assert sum(shares.values()) == CALLS
    assert all(shares[name] for name in INSTANCES), shares
    assert (process.returncode, errors.decode()) == (0, "")


@LANGUAGES
async def test_only_what_is_safe_is_sent_again(
    language: str, programs: dict[str, str], environment: dict[str, str]
) -> None:
    flaky = Flaky()
    async with (
        serving(flaky) as port,
        published("users", "user.v1.UserService", port) as users,
        started(programs[language], {**environment, **users.variables}) as process,
    ):
        output, errors = await process.communicate()

    assert flaky.attempts == Counter(CreateUser=3, GetUser=CALLS + 1, BatchCreateUsers=1)
    assert output.decode().splitlines()[2:] == [f"round robin    200 calls: {NAME} 200"]
    # The lines before it say that this server has no health service.
    assert errors.decode().splitlines()[-1] == "failed: UNAVAILABLE: try again"
    assert process.returncode == 1


@LANGUAGES
async def test_a_watch_goes_on_where_it_was(
    language: str, programs: dict[str, str], environment: dict[str, str], world: World
) -> None:
    async with started(programs[language], environment) as process:
        await lines_until(process, WATCHED)
        world.break_connections_to_orders()
        await world.cancel_newest_order()
        more = await lines_until(process, "watch          ORDER_STATUS_CANCELLED")
    assert more == ["watch          ORDER_STATUS_CANCELLED"]


@LANGUAGES
async def test_a_variable_is_missing(
    language: str, programs: dict[str, str], environment: dict[str, str]
) -> None:
    environment.pop("PRODUCTS_GRPC_TARGET")
    async with started(programs[language], environment) as process:
        output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().startswith("failed: ")
    assert "PRODUCTS_GRPC_TARGET: not set" in errors.decode()
