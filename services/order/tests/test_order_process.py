"""The process: how it starts, what it sends with its calls, and how it ends."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_service_kit.testing.polling import TIMEOUT
from order_processes import Start
from order_world import CONFIRMED, Others, world_with


def test_bad_settings_end_with_2_and_one_line_each(start: Start) -> None:
    process = start(PORT="http", USERS_GRPC_TARGET="users")

    assert process.end() == 2
    assert [line.partition(":")[0] for line in process.lines] == ["PORT", "USERS_GRPC_TARGET"]


async def test_it_starts_and_is_healthy_without_the_other_services(
    start: Start, tmp_path: Path
) -> None:
    """Orders can be read and watched without them."""
    process = start(
        DATABASE_PATH=str(tmp_path / "orders.db"),
        USERS_GRPC_TARGET="127.0.0.1:1",
        PRODUCTS_GRPC_TARGET="127.0.0.1:1",
    )
    async with grpc.aio.insecure_channel(process.target) as channel:
        request = health_pb2.HealthCheckRequest(service="order.v1.OrderService")
        answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_order_under_way_is_finished_before_the_process_ends(
    others: Others, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    variables = {"GRPC_DRAIN_SECONDS": "20", "LAME_DUCK_SECONDS": "0", "TOKEN_FILE": str(token)}
    async with world_with(others, tmp_path, **variables) as world:
        user, lamp = await world.user(), await world.product()
        await world.place(user, lamp)
        token.write_text("second\n")
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def stall() -> None:
            reached.set()
            await go_on.wait()

        world.network.delays["ReserveStock"] = stall
        placing = asyncio.ensure_future(world.place(user, lamp))
        await reached.wait()
        process = world.process.process
        process.terminate()
        go_on.set()

        assert (await placing).status == CONFIRMED
        assert process.end() == 0
        sent = [metadata["authorization"] for metadata in world.network.metadata]
        assert sent == ["Bearer first", "Bearer second"]
        assert "Bearer" not in process.log.read_text()


def test_the_database_is_migrated_down_and_up_by_command(start: Start, tmp_path: Path) -> None:
    path = str(tmp_path / "orders.db")
    for arguments in (["migrate"], ["migrate", "--to", "base"]):
        assert start(*arguments, DATABASE_PATH=path).end() == 0
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT name FROM sqlite_schema WHERE name = 'orders'")
            assert len(tables.fetchall()) == (1 if arguments == ["migrate"] else 0)
