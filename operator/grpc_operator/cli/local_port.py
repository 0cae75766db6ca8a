"""A port on this machine whose connections are carried to somewhere else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_HOST = "127.0.0.1"


@dataclass
class Forward:
    """A port of a pod on this machine.

    Attributes:
        port: Number of the local port.
        problems: Why connections have failed, the latest last: to a client, they only end.
    """

    port: int
    problems: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        """HOST:PORT on this machine."""
        return f"{_HOST}:{self.port}"


class ForwardError(Exception):
    """A connection has failed; the text says why."""


Carry = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Carries one connection until it ends; raises ``ForwardError``."""


@asynccontextmanager
async def listening(carry: Carry) -> AsyncIterator[Forward]:
    """Yields a local port, and carries each of its connections.

    Args:
        carry: Called for each; the connection is closed when it returns.
    """
    forward = Forward(0)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        tasks.add(task)
        try:
            await carry(reader, writer)
        except ForwardError as error:
            forward.problems.append(str(error))
        except asyncio.CancelledError:
            pass  # asyncio would report it as an error of this callback
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, _HOST, 0)
    forward.port = server.sockets[0].getsockname()[1]
    try:
        yield forward
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
