"""Work that is done again and again goes on, whatever happens to it."""

import asyncio

import pytest

from grpc_service_kit.background import repeat
from grpc_service_kit.errors import Unavailable
from grpc_service_kit.testing.polling import TIMEOUT


async def test_no_error_ends_it_and_each_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [Unavailable("the database is away"), KeyError("x"), None]
    done = asyncio.Event()

    async def work() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        done.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(repeat(work, 0.0, "watch"))
    await asyncio.wait_for(done.wait(), TIMEOUT)
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert logged == [
        ("WARNING", "watch: the database is away"),
        ("ERROR", "watch failed; retrying"),
    ]
    assert "KeyError" in caplog.text
