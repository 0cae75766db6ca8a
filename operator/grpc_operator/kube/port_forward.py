"""One TCP connection to a port of a pod, through the API server.

The protocol is that of the kubelet for WebSockets (``v4.channel.k8s.io`` of the subresource
``portforward``): the first byte of a message is a channel, 0 for data and 1 for errors, and the
first message of each channel has the port. ``v5.channel.k8s.io`` exists for ``exec`` and ``attach``
only. There is no half close: whichever side ends, ends the connection.
"""

import asyncio

import aiohttp

from grpc_operator import resources
from grpc_operator.errors import ClusterError
from grpc_operator.kube.connection import Connection

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERRORS = 0, 1
_CHUNK = 32 * 1024
_PORT_BYTES = 2

_LONGEST_ERROR = 1024
"""Bytes of a message of the kubelet that are shown."""

_LINGER = 5.0
"""Seconds without an answer after which a connection ends whose client sends nothing more."""


async def carry(
    connection: Connection,
    pod: tuple[str, str],
    port: int,
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Carries the bytes of one connection in both directions until one side ends it.

    Args:
        connection: To the API server.
        pod: Its namespace and name.
        port: Number of the port.
        streams: The local connection; the caller closes it.

    Raises:
        ClusterError: The API server or the kubelet refuses, or the pod does not listen there.
    """
    reader, writer = streams
    path = f"{resources.PODS.path(*pod)}/portforward"
    async with connection.websocket(path, query={"ports": str(port)}, protocol=_PROTOCOL) as socket:
        sending = asyncio.create_task(_send(reader, socket))
        receiving = asyncio.create_task(_receive(socket, writer, sending))
        try:
            await receiving
        finally:
            sending.cancel()
            receiving.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)


async def _send(reader: asyncio.StreamReader, socket: aiohttp.ClientWebSocketResponse) -> None:
    try:
        while data := await reader.read(_CHUNK):
            await socket.send_bytes(bytes([_DATA]) + data)
    except (OSError, aiohttp.ClientError):
        return  # one of both is gone


async def _receive(
    socket: aiohttp.ClientWebSocketResponse,
    writer: asyncio.StreamWriter,
    sending: asyncio.Task[None],
) -> None:
    started: set[int] = set()
    problem = b""
    while (message := await _next(socket, sending)) is not None:
        channel, data = message[0], message[1:]
        if channel not in started:
            started.add(channel)
            data = data[_PORT_BYTES:]
        if channel == _ERRORS:
            problem += data[:_LONGEST_ERROR]
            if data:
                break
        elif channel == _DATA and data:
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                return
    if problem:
        words = " ".join(problem[:_LONGEST_ERROR].decode(errors="replace").split())
        raise ClusterError(f"port-forward: {words}", words=words)


async def _next(
    socket: aiohttp.ClientWebSocketResponse, sending: asyncio.Task[None]
) -> bytes | None:
    """Returns the next message; ``None`` when no more is to be expected.

    Raises:
        ClusterError: The connection failed.
    """
    receiving = asyncio.ensure_future(socket.receive())
    try:
        if not sending.done():
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
        message = await asyncio.wait_for(receiving, _LINGER if sending.done() else None)
    except TimeoutError:
        return None
    finally:
        receiving.cancel()
    if message.type is aiohttp.WSMsgType.ERROR:
        words = f"the connection to the API server failed: {message.data}"
        raise ClusterError(f"port-forward: {words}", words=words)
    is_data = message.type is aiohttp.WSMsgType.BINARY and message.data
    return bytes(message.data) if is_data else None
