"""Port-forwarding, against a server that speaks the kubelet's protocol."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from aiohttp import WSCloseCode, web

from grpc_operator.cli.connection import connected
from grpc_operator.cli.local_port import Forward
from grpc_operator.cli.portforward import forwarded
from grpc_operator.kube.connection import Kubeconfig

Serve = Callable[[web.WebSocketResponse], Awaitable[None]]


async def _echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        await socket.send_bytes(message.data)


async def _greet_and_end(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(b"\0hello")


async def _refuse(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(b"\1dial tcp4 127.0.0.1:50051:\nconnection refused")


async def _answer_late(socket: web.WebSocketResponse) -> None:
    received = await socket.receive_bytes()
    await socket.send_bytes(b"\0late " + received[1:])


async def _too_large(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(bytes(5 * 1024 * 1024))


class Kubelet:
    """What is behind the API server.

    Attributes:
        serve: What becomes of a connection.
        status: HTTP status of the answers; 101 to accept.
    """

    def __init__(self) -> None:
        self.serve: Serve = _echo
        self.status = 101

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request for the subresource."""
        assert request.path == "/api/v1/namespaces/shop/pods/user-0/portforward"
        assert request.headers["authorization"] == "Bearer secret"
        if self.status != 101:
            return web.json_response({"message": 'pods "user-0"'}, status=self.status)
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        assert socket.ws_protocol == "v4.channel.k8s.io"
        for channel in (0, 1):
            port = struct.pack("<BH", channel, int(request.query["ports"]))
            await socket.send_bytes(port)
        await self.serve(socket)
        await socket.close(code=WSCloseCode.OK)
        return socket


@pytest.fixture
def kubelet() -> Kubelet:
    """The kubelet."""
    return Kubelet()


@pytest.fixture
async def forward(kubelet: Kubelet, tmp_path: Path) -> AsyncIterator[Forward]:
    """Port 50051 of pod user-0."""
    app = web.Application()
    app.router.add_get("/{path:.*}", kubelet.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    file = tmp_path / "kubeconfig"
    context = {"cluster": "c", "user": "u"}
    server = {"server": f"http://127.0.0.1:{runner.addresses[0][1]}"}
    content = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": context}],
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    file.write_text(yaml.safe_dump(content))
    async with (
        connected(Kubeconfig(str(file))) as connection,
        forwarded(connection, ("shop", "user-0"), 50051) as port,
    ):
        yield port
    await runner.cleanup()


async def _exchange(forward: Forward, *, sent: bytes = b"", half_close: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
    writer.write(sent)
    if half_close:
        writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_both_directions_of_several_connections(forward: Forward) -> None:
    """More bytes than any buffer on the way holds, at the same time, each its own."""

    async def exchange(byte: bytes) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
        sent = byte * 3_000_000
        writer.write(sent)
        received = await reader.readexactly(len(sent))
        writer.close()
        return received == sent

    assert all(await asyncio.gather(*map(exchange, (b"a", b"b", b"c"))))
    assert forward.problems == []


async def test_the_end_of_the_pod_is_the_end(forward: Forward, kubelet: Kubelet) -> None:
    """After everything that it has sent."""
    kubelet.serve = _greet_and_end

    assert await _exchange(forward) == b"hello"
    assert forward.problems == []


async def test_a_client_that_sends_nothing_more_gets_its_answer(
    forward: Forward, kubelet: Kubelet
) -> None:
    """Although the protocol has no half close."""
    kubelet.serve = _answer_late

    assert await _exchange(forward, sent=b"question", half_close=True) == b"late question"


@pytest.mark.parametrize(
    ("status", "serve", "words"),
    [
        (101, _refuse, "dial tcp4 127.0.0.1:50051: connection refused"),
        (101, _too_large, "the connection to the API server failed"),
        (404, _echo, 'pods "user-0"'),
        (403, _echo, 'pods "user-0"'),
    ],
)
async def test_a_refusal_has_words(
    forward: Forward, kubelet: Kubelet, status: int, serve: Serve, words: str
) -> None:
    """Those of the kubelet or of the API server; the client only sees that the connection ends."""
    kubelet.status, kubelet.serve = status, serve

    assert await _exchange(forward) == b""
    (problem,) = forward.problems
    assert problem.startswith("port 50051 of pod shop/user-0: ")
    assert words in problem
