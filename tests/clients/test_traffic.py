"""The bench's load generator and upstream, one in front of the other."""

import pytest
from bench.errors import BenchError
from bench.messages import Target
from bench.processes import Load, upstream

pytestmark = pytest.mark.clients


async def test_every_call_has_its_answer() -> None:
    async with upstream() as port:
        assert await Load("gRPC", Target(), 400).run(port) > 0


async def test_answers_of_another_protocol_are_wrong() -> None:
    async with upstream() as port:
        with pytest.raises(BenchError, match="400 of 400 gRPC-Web calls"):
            await Load("gRPC-Web", Target(), 400).run(port)


async def test_a_server_that_is_away_leaves_every_call_without_an_answer() -> None:
    async with upstream() as port:
        pass
    with pytest.raises(BenchError, match="400 of 400 gRPC calls"):
        await Load("gRPC", Target(), 400).run(port)
