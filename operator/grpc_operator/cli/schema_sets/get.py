"""Gets sets from clusters and servers."""

import asyncio

from grpc_operator import quotes
from grpc_operator.cli import connection
from grpc_operator.cli.errors import CliError
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.names import descriptor_config_map as config_map_of
from grpc_operator.reflection.client import fetch
from grpc_operator.reflection.reflection_error import ReflectionError
from grpc_operator.resources import CONFIG_MAPS, GRPC_SERVICES

_TIMEOUT = 10.0
"""Seconds for all that a server is asked."""

Place = tuple[str | None, str | None, str | None]
"""Kubeconfig, context, namespace."""


def of_server(target: str) -> bytes:
    """Returns the set of all services of a server, by reflection.

    Args:
        target: HOST:PORT, without TLS.

    Raises:
        CliError: The server has no reflection, or does not answer.
    """
    try:
        return asyncio.run(fetch(target, _TIMEOUT))
    except ReflectionError as error:
        raise CliError(quotes.printable(str(error)), where=target) from error


def of_cluster(place: Place, service: str | None, revision: str | None) -> bytes:
    """Returns the set that a GrpcService is served by.

    Args:
        place: Where it is.
        service: Its name.
        revision: Name of a revision; the stable one when unset.

    Raises:
        CliError: There is none, or it cannot be read.
    """
    if service is None:
        raise CliError("give the name of a GrpcService, or --server HOST:PORT")
    return asyncio.run(_pinned(place, service, revision))


async def _pinned(place: Place, service: str, revision: str | None) -> bytes:
    file, context, namespace = place
    async with connection.cluster(Kubeconfig(file, context), namespace) as cluster:
        live = await cluster.need(GRPC_SERVICES, cluster.namespace, service)
        name = config_map_of(revision or _stable(live) or service)
        config_map = await cluster.get(CONFIG_MAPS, cluster.namespace, name)
    pinned = descriptor_config_map.read(config_map)
    if pinned is None:
        raise CliError(
            f"GrpcService {cluster.namespace}/{service} has no descriptor: ConfigMap {name} does"
            " not exist, or cannot be read",
            fix=f"See why: kubectl describe grpcservice {service} -n {cluster.namespace}",
        )
    return pinned.data


def _stable(live: dict[str, object]) -> str | None:
    status = live.get("status")
    revisions = status.get("revisions") if isinstance(status, dict) else None
    for each in revisions or ():
        if each.get("role") == "Stable":
            return str(each["name"])
    return None
