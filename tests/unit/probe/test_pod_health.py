"""Who answers a health check, and what: real servers on loopback."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tests.e2e.certificates import Authority

from grpc_operator.probe import pod_health
from grpc_service_kit.testing.postgres import free_port

SECONDS = 1.0
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def grpc_server(**statuses: str) -> AsyncIterator[int]:
    """Provides the port of a server with these health statuses, or without a health service."""
    server = grpc.aio.server()
    if statuses:
        servicer = health.aio.HealthServicer()
        for name, status in statuses.items():
            await servicer.set(name, health_pb2.HealthCheckResponse.ServingStatus.Value(status))
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@asynccontextmanager
async def tcp_server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Provides the port of a server that is none of gRPC."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def check(port: int, service: str = "users") -> tuple[str, str]:
    """Makes the health check."""
    return await pod_health.check("127.0.0.1", port, service, SECONDS)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("users", ("SERVING", "SERVING")),
        ("db", ("NOT_SERVING", "NOT_SERVING")),
        ("none", ("UNKNOWN_SERVICE", "NOT_FOUND")),
    ],
)
async def test_a_server_with_health(service: str, expected: tuple[str, str]) -> None:
    """What it answers, and whether it knows the service."""
    async with grpc_server(users="SERVING", db="NOT_SERVING") as port:
        kind, text = await check(port, service)

    assert kind == expected[0]
    assert text.startswith(expected[1])


async def test_a_server_without_health() -> None:
    """It serves gRPC, but nothing that a gRPC probe could ask for."""
    async with grpc_server() as port:
        kind, text = await check(port)

    assert kind == "UNIMPLEMENTED"
    assert text.startswith("UNIMPLEMENTED")


async def test_nothing_listens() -> None:
    """As with a wrong port."""
    assert await check(free_port()) == ("REFUSED", "connection refused")


async def test_a_server_with_tls(tmp_path: Path) -> None:
    """Whatever its certificate says."""
    secret = Authority().secret("x", "x")["data"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for file, text in secret.items():
        (tmp_path / file).write_bytes(base64.b64decode(text))
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")

    async def ends(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with tcp_server(ends, context) as port:
        kind, text = await check(port)

    assert kind == "TLS"
    assert "TLS handshake succeeds" in text


async def test_a_web_server() -> None:
    """It answers in HTTP/1."""
    async with TestServer(web.Application()) as server:
        assert server.port is not None
        kind, _ = await check(server.port)

    assert kind == "NOT_GRPC"


async def test_a_server_that_never_answers() -> None:
    """It accepts connections; the operator does not wait for long."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with tcp_server(silent) as port:
        assert await check(port) == ("NO_ANSWER", "no answer within 1 s")


async def test_what_a_server_says_is_bounded() -> None:
    """It is quoted in a status."""

    async def verbose(_: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await context.abort(grpc.StatusCode.INTERNAL, "x" * 5000)
        return b""

    method: dict[str, Any] = {"Check": grpc.unary_unary_rpc_method_handler(verbose)}
    handler = grpc.method_handlers_generic_handler("grpc.health.v1.Health", method)
    server = grpc.aio.server(handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    kind, text = await check(port)
    await server.stop(None)

    assert (kind, len(text)) == ("OTHER", len("INTERNAL: ") + 300)
