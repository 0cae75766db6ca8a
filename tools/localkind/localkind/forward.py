"""TCP from this machine's loopback to a port of the node: kind's extraPortMappings.

A program of its own: `python -m localkind.forward LISTEN:PORT=ADDRESS:PORT ...`.
"""

import asyncio
import sys
from contextlib import suppress

_CHUNK_BYTES = 64 * 1024


async def serve(mappings: list[str]) -> None:
    """Forward every mapping until the process is ended."""
    servers = []
    for mapping in mappings:
        listen, target = (part.rpartition(":")[::2] for part in mapping.split("="))
        servers.append(await _listen(listen, target))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _listen(listen: tuple[str, str], target: tuple[str, str]) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(target[0], int(target[1]))
        except OSError:
            writer.transport.abort()  # A reset, as from a port without a listener.
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        far_writer.close()
        writer.close()

    return await asyncio.start_server(connected, listen[0], int(listen[1]))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction; its end is passed on, and the other direction stays open."""
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return
    writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
