"""The cluster that a command reads, by the user's kubeconfig."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.known_errors import known
from grpc_operator.cli.output import note
from grpc_operator.errors import ClusterError, NotFoundError
from grpc_operator.kube.connection import Connection, Kubeconfig
from grpc_operator.resources import Manifest, Resource

PAGE = 500
"""Objects in one answer of the API server, as kubectl asks for them."""

_MANY = 2_000
"""Objects from which on a list is announced, because it takes seconds."""

_METADATA = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
)


@dataclass(frozen=True)
class Cluster:
    """Objects of a cluster; every failure is a ``CliError`` with what to do about it.

    Attributes:
        connection: To the API server.
        namespace: The one that the user has named, or that of the context.
    """

    connection: Connection
    namespace: str

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        """Returns an object; ``None`` if it does not exist.

        Raises:
            CliError: It cannot be read.
        """
        try:
            found = await self.connection.send("GET", resource.path(namespace, name))
        except NotFoundError as error:
            if f'"{name}" not found' in error.words:
                return None
            raise known(error) from error
        except ClusterError as error:
            raise known(error) from error
        return _typed(found, resource)

    async def need(self, resource: Resource, namespace: str | None, name: str) -> Manifest:
        """Returns an object that a user has named.

        Raises:
            CliError: It does not exist, or cannot be read.
        """
        found = await self.get(resource, namespace, name)
        if found is None:
            where = f" in the namespace {namespace}" if namespace else ""
            raise CliError(
                f'{resource.kind} "{name}" does not exist{where}',
                fix=f"List those that exist: kubectl get {resource.plural} --all-namespaces",
            )
        return found

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Manifest]:
        """Returns all objects of a kind, in the order of the API server.

        Args:
            resource: The kind.
            namespace: Of which namespace; ``None`` for all.
            labels: Label selector.
            fields: Field selector.
            metadata_only: Whether nothing but the metadata is sent: for ConfigMaps, say, whose
                content is large.

        Raises:
            CliError: They cannot be read.
        """
        query = {"limit": str(PAGE), "labelSelector": labels, "fieldSelector": fields}
        query = {name: value for name, value in query.items() if value}
        accept = _METADATA if metadata_only else "application/json"
        found: list[Manifest] = []
        while True:
            try:
                page = await self.connection.send(
                    "GET", resource.path(namespace), query=query, accept=accept
                )
            except ClusterError as error:
                raise known(error) from error
            found += [_typed(each, resource) for each in page.get("items") or ()]
            metadata = page.get("metadata") or {}
            remaining = metadata.get("remainingItemCount") or 0
            if len(found) == PAGE and remaining > _MANY:
                note(f"reading {len(found) + remaining} {resource.plural} ...")
            if not metadata.get("continue"):
                return found
            query["continue"] = str(metadata["continue"])


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


@asynccontextmanager
async def cluster(kubeconfig: Kubeconfig, namespace: str | None = None) -> AsyncIterator[Cluster]:
    """Yields the objects of a cluster.

    Args:
        kubeconfig: Which one.
        namespace: What the user has named; by default that of the context, or ``default``.

    Raises:
        ConfigurationError: The kubeconfig is not usable.
    """
    async with connected(kubeconfig) as connection:
        yield Cluster(connection, namespace or connection.namespace or "default")


def _typed(manifest: Manifest, resource: Resource) -> Manifest:
    """Returns an object with its kind, which items of a list are without."""
    return {**manifest, "apiVersion": resource.api_version, "kind": resource.kind}
