"""A stand-in for the Service of the operator: spreads connections over its replicas."""

import asyncio
import random
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

Address = tuple[str, int]


class XdsService:
    """A port of loopback whose connections go to one of several addresses, by chance.

    Like kube-proxy it knows who is ready, not who answers.

    Args:
        addresses: The replicas.
        seed: Of the choice.

    Attributes:
        ready: Which replicas get new connections.
        cut: While true, every connection is closed: the proxy behind it has lost its operator.
    """

    def __init__(self, addresses: Sequence[Address], seed: int) -> None:
        self.ready = set(addresses)
        self.cut = False
        self._random = random.Random(seed)  # noqa: S311 - a choice, no secret
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut_off(self) -> None:
        """Closes every connection and refuses new ones until ``cut`` is false again."""
        self.cut = True
        self._do(self._close())

    def close(self) -> None:
        """Ends it."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        streams = [writer]
        try:
            with suppress(OSError, IndexError):
                if self.cut:
                    return
                host, port = self._random.choice(sorted(self.ready))
                inner, other = await asyncio.open_connection(host, port)
                streams.append(other)
                await _either(_copy(reader, other), _copy(inner, writer))
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            for stream in streams:
                stream.transport.abort()


async def _either(*copies: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(each) for each in copies]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
