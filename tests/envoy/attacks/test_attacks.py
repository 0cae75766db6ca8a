"""A proxy with the default limits under attack: within its memory, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from tests.envoy.attacks import attacks
from tests.envoy.attacks.attacks import Attack
from tests.envoy.attacks.bystander import bystanders
from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import says, serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_BYSTANDER = "bystander.test"
_LIMIT_MIB = 1024
"""Default limit of the container."""


class _Victim(grpc.GenericRpcHandler):
    """Never answers SyncUsers, never ends ListUsers, and answers everything else."""

    def __init__(self) -> None:
        self._handlers = {"SyncUsers": _handler(_never), "ListUsers": _handler(_large)}
        self._other = _handler(_empty)

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Returns the handler of a method."""
        method: str = details.method.rpartition("/")[2]
        found: grpc.RpcMethodHandler[Any, Any] = self._handlers.get(method, self._other)
        return found


def _handler(
    answer: Callable[[AsyncIterator[bytes], object], AsyncIterator[bytes]],
) -> "grpc.RpcMethodHandler[Any, Any]":
    made: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(answer)
    return made


async def _never(_requests: AsyncIterator[bytes], _context: object) -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def _large(_requests: AsyncIterator[bytes], _context: object) -> AsyncIterator[bytes]:
    for _ in range(1000):
        yield bytes(16 << 10)


async def _empty(requests: AsyncIterator[bytes], _context: object) -> AsyncIterator[bytes]:
    async for _ in requests:
        pass
    yield b""


@dataclass(frozen=True)
class Proxy:
    """The proxy that is attacked."""

    gateway: Gateway

    @property
    def peak_mib(self) -> int:
        """The most memory that it ever had (VmHWM), in MiB."""
        status = Path(f"/proc/{self.gateway.envoy.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) >> 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[Proxy]:
    """Two tenants' services behind one proxy."""
    descriptor = user_descriptor()
    async with (
        serving(_Victim()) as victim,
        serving(says(b"")) as other,
        running_gateway(memory=f"{_LIMIT_MIB}Mi") as made,
    ):
        await made.serve(
            Exposed("victim", descriptor, (victim,), {"hostnames": [attacks.HOST]}),
            Exposed("bystander", descriptor, (other,), {"hostnames": [_BYSTANDER]}),
        )
        yield Proxy(made)


@pytest.mark.parametrize("attack", attacks.ALL, ids=lambda attack: attack.__name__)
async def test_nobody_else_notices(proxy: Proxy, attack: Attack) -> None:
    """The proxy stays below its limit of memory, and no call of others fails."""
    port = proxy.gateway.port
    async with bystanders(port, _BYSTANDER, "user.v1.UserService/GetUser", "/v1/users/1") as others:
        await attack(port)
        await others.another()
    assert others.failed == {}
    assert proxy.peak_mib < _LIMIT_MIB
    assert proxy.gateway.envoy.process.returncode is None
