"""What has to be done before anything is reconciled, for as long as the API server lets it wait."""

import asyncio
import logging
from collections.abc import Callable

from grpc_operator.engine.resync import Resync
from grpc_operator.errors import ClusterError, ConfigurationError, RejectedError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.resources import GRPC_SERVICES, Manifest, Resource
from grpc_operator.settings import Settings

logger = logging.getLogger(__name__)

_PERIOD = 2.0
"""Seconds between two attempts."""


async def wait_for_crds(cluster: Cluster, report: Callable[[str], None]) -> None:
    """Returns when the CRDs are installed.

    Args:
        cluster: Where they should be.
        report: Called with why it has to wait.
    """
    reported = ""
    words: object
    while True:
        try:
            missing = await cluster.missing_crds()
        except ClusterError as error:
            why, words = f"cannot find out whether the CRDs are installed: {error}", error
        else:
            if not missing:
                return
            verb = "is" if len(missing) == 1 else "are"
            why = words = f"the CRD {' and '.join(missing)} {verb} not installed"
        report(why)
        if why != reported:
            logger.warning("Waiting for CRDs: %s", words)
            reported = why
        await asyncio.sleep(_PERIOD)


async def list_everything(resync: Resync) -> None:
    """Makes the store equal to the cluster.

    Raises:
        ConfigurationError: The API server finds the request wrong.
    """
    while True:
        try:
            await resync.once()
        except RejectedError as error:
            raise ConfigurationError(
                f"GRPC_OPERATOR_WATCH_LABEL_SELECTOR or another setting is wrong: {error}"
            ) from error
        except ClusterError as error:
            logger.warning("Waiting for the API server, cannot list: %s", error)
            await asyncio.sleep(_PERIOD)
        else:
            return


async def list_watched(
    cluster: Cluster, settings: Settings, resource: Resource
) -> tuple[list[Manifest], int]:
    """Returns the objects of a resource that are watched, and the version of the list.

    Raises:
        ClusterError: One of the lists could not be read.
    """
    selector = resource.label_selector
    if resource is GRPC_SERVICES:
        selector = settings.watch_label_selector
    items: list[Manifest] = []
    versions = []
    for namespace in settings.watch_namespaces or (None,):
        part, version = await cluster.list(resource, namespace, selector)
        items += part
        versions.append(version)
    return items, min(versions)
