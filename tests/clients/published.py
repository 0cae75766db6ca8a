"""One DNS name and one port for the instances of a service, as a headless Service gives them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from grpc_operator.api import GrpcService
from grpc_operator.desired.service import client_config
from grpc_service_kit.testing.postgres import free_port
from kit_client_names import naming

_CHUNK = 1 << 16


class Relay:
    """Passes connections on: a server listens on all addresses, so two cannot have one port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self, address: str, port: int) -> AsyncIterator[None]:
        """Takes connections to an address."""
        server = await asyncio.start_server(self._pass_on, address, port)
        try:
            yield
        finally:
            server.close()
            self.break_connections()

    def break_connections(self) -> None:
        """Ends all connections abruptly."""
        for writer in self._writers:
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onwards, back = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, back), self._pump(onwards, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


@dataclass(frozen=True)
class Way:
    """How clients reach a service.

    Attributes:
        variables: Those of its client ConfigMap, with the service's name as their prefix.
        relays: One for each instance.
    """

    variables: dict[str, str]
    relays: list[Relay]


@asynccontextmanager
async def published(name: str, service: str, *ports: int) -> AsyncIterator[Way]:
    """Publishes instances that serve on these ports of loopback.

    The operator's own code makes the variables. Only the DNS server to ask is put in, with gRPC's
    syntax `dns://SERVER/NAME:PORT` (grpc/doc/naming.md).
    """
    port = free_port()
    addresses = [f"127.0.0.{number}" for number in range(1, len(ports) + 1)]
    relays = [Relay(instance) for instance in ports]
    async with AsyncExitStack() as stack:
        for address, relay in zip(addresses, relays, strict=True):
            await stack.enter_async_context(relay.listening(address, port))
        names = await stack.enter_async_context(naming(*addresses))
        data = client_config.build(_resource(name, service, port), "cluster.local")["data"]
        target = data["GRPC_TARGET"].replace("dns:///", f"dns://127.0.0.1:{names.port}/")
        prefix = name.upper()
        variables = {
            f"{prefix}_GRPC_TARGET": target,
            f"{prefix}_GRPC_SERVICE_CONFIG": data["GRPC_SERVICE_CONFIG"],
        }
        yield Way(variables, relays)


def _resource(name: str, service: str, port: int) -> GrpcService:
    spec = {
        "image": "none",
        "port": port,
        "probes": {"readiness": {"service": service}},
        "client": {"timeout": "8s"},
    }
    metadata = {"name": name, "namespace": "tests", "uid": "1", "generation": 1}
    return GrpcService.parse({"metadata": metadata, "spec": spec})
