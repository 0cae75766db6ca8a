"""What stands in place of a server or client under test: the reference one, behind a gateway.

Messages come and go by the pipes of the program that the runner starts (``pipe``), each after its
length as 4 bytes (connectrpc.com/conformance, docs/testing_servers.md and testing_clients.md).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.conformance import between, programs

_HTTP2 = 2
_LENGTH = 4
_LOOPBACK = "127.0.0.1"


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """Returns one message; ``None`` at the end."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH))
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _write(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(len(message).to_bytes(_LENGTH) + message)


class Middle:
    """Serves the pipes of one run of the suite."""

    def __init__(self, kind: str, service: between.Service) -> None:
        """Remembers what is run.

        Args:
            kind: Of the gateway.
            service: The suite's own, with the settings of the gateway.
        """
        self._kind, self._service = kind, service
        self._protocol = programs.Protocol()
        self._running: set[asyncio.Task[None]] = set()

    async def server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Starts the reference server and a gateway, which is what the runner gets to know."""
        request: Any = self._protocol.message("ServerCompatRequest", await _read(reader) or b"")
        if self._kind != between.DIRECT:
            # Gateways speak HTTP/2 to servers, whatever clients speak.
            request.http_version = _HTTP2
        async with _child("referenceserver") as (to_child, from_child):
            _write(to_child, request.SerializeToString())
            answer = await _read(from_child) or b""
            response: Any = self._protocol.message("ServerCompatResponse", answer)
            async with between.serving(self._kind, self._service, response.port) as port:
                response.host, response.port = _LOOPBACK, port
                _write(writer, response.SerializeToString())
                await reader.read()
        await _closed(writer)

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Starts the reference client, whose calls go through a gateway for each server."""
        ports: dict[int, int] = {}
        async with AsyncExitStack() as stack:
            to_child, from_child = await stack.enter_async_context(_child("referenceclient"))
            answering = asyncio.create_task(_pass_on(from_child, writer))
            while (message := await _read(reader)) is not None:
                request: Any = self._protocol.message("ClientCompatRequest", message)
                if request.port not in ports:
                    made = between.serving(self._kind, self._service, request.port)
                    ports[request.port] = await stack.enter_async_context(made)
                request.host, request.port = _LOOPBACK, ports[request.port]
                _write(to_child, request.SerializeToString())
            to_child.close()
            await answering
        await _closed(writer)

    @asynccontextmanager
    async def listening(self, mode: str, path: Path) -> AsyncIterator[None]:
        """Serves the pipes of a run at a Unix socket.

        Args:
            mode: ``server`` or ``client``: what is under test.
            path: Of the socket.
        """
        serve = {"server": self.server, "client": self.client}[mode]

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._running.add(asyncio.create_task(serve(reader, writer)))

        listener = await asyncio.start_unix_server(accept, path)
        try:
            yield
        finally:
            listener.close()
            await asyncio.gather(*self._running)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):  # the runner has ended the pipe before
        await writer.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (result := await _read(reader)) is not None:
        _write(writer, result)


@asynccontextmanager
async def _child(name: str) -> AsyncIterator[tuple[asyncio.StreamWriter, asyncio.StreamReader]]:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(programs.program(name), stdin=pipe, stdout=pipe)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield child.stdin, child.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()
