"""Ports of pods on this machine, as ``kubectl port-forward`` has them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_operator.cli.local_port import Forward, ForwardError, listening
from grpc_operator.errors import ClusterError
from grpc_operator.kube import port_forward
from grpc_operator.kube.connection import Connection


@asynccontextmanager
async def forwarded(
    connection: Connection, pod: tuple[str, str], port: int
) -> AsyncIterator[Forward]:
    """Yields a local port whose connections, any number of them, end at a port of a pod.

    Args:
        connection: To the API server.
        pod: Its namespace and name.
        port: Number of its port.
    """

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await port_forward.carry(connection, pod, port, (reader, writer))
        except ClusterError as error:
            raise ForwardError(f"port {port} of pod {'/'.join(pod)}: {error.words}") from error

    async with listening(carry) as forward:
        yield forward
