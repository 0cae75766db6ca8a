"""A request costs what it has to: no thread reads the environment for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.errors import ClusterError
from grpc_operator.kube.connection import Connection, Kubeconfig


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server that answers every request with an empty object."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _kubeconfig(folder: Path, server: str) -> Kubeconfig:
    config = {
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "nobody"}}],
        "current-context": "test",
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), encoding="utf-8")
    return Kubeconfig(file=str(file))


async def test_a_request_needs_no_thread(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that takes turns with one that computes waits for it, several milliseconds each."""
    connection = await Connection.open(_kubeconfig(tmp_path, f"http://127.0.0.1:{port}"))
    in_threads = []
    to_thread = asyncio.to_thread

    async def counted(function: Any, *arguments: Any) -> Any:
        in_threads.append(function)
        return await to_thread(function, *arguments)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    assert await connection.send("GET", "/api") == {}
    await connection.close()
    assert not in_threads


@pytest.mark.parametrize("excepted", [False, True])
async def test_the_environment_names_the_proxy(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, excepted: bool
) -> None:
    """As for every other client: no_proxy excepts servers."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "kubernetes.invalid" if excepted else "")
    connection = await Connection.open(_kubeconfig(tmp_path, "http://kubernetes.invalid"))
    try:
        assert await _is_answered(connection) == (not excepted)
    finally:
        await connection.close()


async def _is_answered(connection: Connection) -> bool:
    try:
        return await connection.send("GET", "/api") == {}
    except ClusterError:
        return False
