"""The cluster that a command reads, by the user's kubeconfig."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_operator.kube.connection import Connection, Kubeconfig


@asynccontextmanager
async def connected(kubeconfig: Kubeconfig) -> AsyncIterator[Connection]:
    """Yields a connection to the API server, and closes it.

    Raises:
        ConfigurationError: The kubeconfig is not usable.
    """
    connection = await Connection.open(kubeconfig)
    try:
        yield connection
    finally:
        await connection.close()
