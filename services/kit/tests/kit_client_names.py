"""A DNS server of one name on loopback, whose addresses tests change (RFC 1035)."""

import asyncio
import ipaddress
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

_HEADER = struct.Struct("!6H")
_ANSWER = struct.Struct("!3HLH4s")
_A = 1
_NO_SUCH_NAME = 3
_IS_ANSWER = 0x8180


class Names(asyncio.DatagramProtocol):
    """Answers every question with `addresses`; with none, the name does not exist."""

    def __init__(self, addresses: list[str]) -> None:
        """Begin with these IPv4 addresses."""
        self.addresses = addresses
        self.asked: list[float] = []
        """The time.monotonic() of each question for an IPv4 address."""
        self._transport: Any = None

    @property
    def port(self) -> int:
        """The UDP port."""
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer one question; AAAA has no addresses."""
        query = _HEADER.unpack_from(data)[0]
        end = data.index(b"\0", _HEADER.size) + 5
        question = data[_HEADER.size : end]
        records = []
        if struct.unpack("!2H", question[-4:])[0] == _A:
            self.asked.append(time.monotonic())
            records = [
                _ANSWER.pack(0xC00C, _A, 1, 0, 4, ipaddress.IPv4Address(address).packed)
                for address in self.addresses
            ]
        status = _IS_ANSWER | (0 if self.addresses else _NO_SUCH_NAME)
        header = _HEADER.pack(query, status, 1, len(records), 0, 0)
        self._transport.sendto(b"".join([header, question, *records]), addr)


@asynccontextmanager
async def naming(*addresses: str) -> AsyncIterator[Names]:
    """Run the DNS server."""
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(
        lambda: Names(list(addresses)), local_addr=("127.0.0.1", 0)
    )
    try:
        yield names
    finally:
        transport.close()
