"""TLS that ends in this process, so that everything behind it is the same with and without."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.local_port import Forward, ForwardError, listening

_CHUNK = 32 * 1024
_CONNECT_SECONDS = 20.0


@dataclass(frozen=True)
class Trust:
    """Which servers are trusted.

    Attributes:
        ca: File with certificates in PEM; those of the system when ``None``.
        insecure: Whether any server is.
    """

    ca: Path | None = None
    insecure: bool = False

    def context(self, protocol: str) -> ssl.SSLContext:
        """Returns the settings of a client.

        Args:
            protocol: ``h2`` or ``http/1.1`` (ALPN).

        Raises:
            CliError: The file has no certificate.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # ssl.SSLError too
            raise CliError(f"has no certificate in PEM: {error}", where=str(self.ca)) from error
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        return context


@asynccontextmanager
async def plain(target: str, server_name: str, context: ssl.SSLContext) -> AsyncIterator[Forward]:
    """Yields a local port without TLS whose connections end at a server with it.

    Args:
        target: HOST:PORT of the server.
        server_name: Whose certificate it must have.
        context: Settings.
    """

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _carry((reader, writer), target, server_name, context)
        except ssl.SSLCertVerificationError as error:
            raise ForwardError(
                f"TLS of {target}: {error.verify_message}. Trust its CA with --cacert FILE, or"
                " anybody with --insecure"
            ) from error
        except (OSError, TimeoutError) as error:
            raise ForwardError(f"TLS of {target}: {error or type(error).__name__}") from error

    async with listening(carry) as forward:
        yield forward


async def _carry(
    local: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    target: str,
    server_name: str,
    context: ssl.SSLContext,
) -> None:
    host, _, port = target.rpartition(":")
    connecting = asyncio.open_connection(
        host.strip("[]"), int(port), ssl=context, server_hostname=server_name
    )
    reader, writer = await asyncio.wait_for(connecting, _CONNECT_SECONDS)
    sending = asyncio.create_task(_copy(local[0], writer))
    try:
        await _copy(reader, local[1])
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
