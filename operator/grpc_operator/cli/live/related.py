"""Everything that belongs to one GrpcService, as far as the user may read it."""

import asyncio
import re
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grpc_operator import labels
from grpc_operator.cli.connection import Cluster
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.live import health
from grpc_operator.errors import ForbiddenError
from grpc_operator.resources import (
    CONFIG_MAPS,
    CORE_EVENTS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    HORIZONTAL_POD_AUTOSCALERS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Manifest,
    Resource,
)

REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")

CHILDREN = (
    DEPLOYMENTS,
    REPLICA_SETS,
    PODS,
    SERVICES,
    ENDPOINT_SLICES,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
    POD_DISRUPTION_BUDGETS,
    HORIZONTAL_POD_AUTOSCALERS,
)
"""All that a GrpcService leads to, in the order in which it is printed."""

_METADATA_ONLY = {CONFIG_MAPS, SERVICE_ACCOUNTS}
"""Of descriptors, up to 1 MiB each, nothing but the name is needed."""

_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of generated names (k8s.io/apimachinery, ``util/rand``)."""


@dataclass(frozen=True)
class Related:
    """A GrpcService and what belongs to it.

    Attributes:
        service: The GrpcService.
        objects: Its children and theirs, by kind; without kinds that cannot be read.
        unreadable: What could not be read, with the reason.
        gateway: Its GrpcGateway, if that was asked for and can be read.
        proxies: The pods of the gateway; ``None`` if they are not known.
        events: About any of the objects, as the API server has them; ``None`` if not known.
    """

    service: Manifest
    objects: Mapping[str, Sequence[Manifest]] = field(default_factory=dict)
    unreadable: Sequence[str] = ()
    gateway: Manifest | None = None
    proxies: Sequence[Manifest] | None = None
    events: Sequence[Manifest] | None = None

    def of_kind(self, kind: str) -> Sequence[Manifest]:
        """Returns the objects of a kind that belong to the service, by name."""
        return sorted(self.objects.get(kind, ()), key=lambda each: str(each["metadata"]["name"]))

    def owned_by(self, owner: Manifest) -> Iterator[Manifest]:
        """Yields the objects that another one owns, in the order of ``CHILDREN``."""
        uid = owner["metadata"].get("uid")
        for resource in CHILDREN:
            for each in self.of_kind(resource.kind):
                if uid in _owners(each):
                    yield each

    def all(self) -> Iterator[Manifest]:
        """Yields the service and all that belongs to it by owner references."""
        waiting = [self.service]
        seen: set[str] = set()
        while waiting:
            each = waiting.pop()
            uid = str(each["metadata"].get("uid"))
            if uid not in seen:
                seen.add(uid)
                yield each
                waiting += self.owned_by(each)

    def pods(self) -> list[Manifest]:
        """Returns the pods of its Deployments, by name; others may have the same label."""
        found = [each for each in self.all() if each["kind"] == PODS.kind]
        return sorted(found, key=lambda each: str(each["metadata"]["name"]))

    def own_events(self) -> list[Manifest]:
        """Returns the Events of the objects, and of pods and ReplicaSets that are gone."""
        objects = list(self.all())
        uids = {str(each["metadata"].get("uid")) for each in objects}
        workloads = {health.name_of(each)[1] for each in objects if each["kind"] == "Deployment"}
        workloads.add(health.name_of(self.service)[1])
        gone = re.compile(
            f"(?:{'|'.join(re.escape(each) for each in sorted(workloads))})"
            f"-{_SAFE}{{1,10}}(-{_SAFE}{{5}})?"
        )
        return [each for each in self.events or () if _is_about(each, uids, gone)]


def _owners(manifest: Manifest) -> set[str]:
    return {str(each.get("uid")) for each in manifest["metadata"].get("ownerReferences") or ()}


def _is_about(event: Manifest, uids: set[str], gone: re.Pattern[str]) -> bool:
    about = event.get("involvedObject") or {}
    if about.get("uid") in uids:
        return True
    match = gone.fullmatch(str(about.get("name")))
    return match is not None and about.get("kind") == ("Pod" if match[1] else "ReplicaSet")


async def read(
    cluster: Cluster,
    name: str,
    *,
    kinds: Iterable[Resource] = CHILDREN,
    events: bool = False,
    gateway: bool = False,
) -> Related:
    """Returns a GrpcService with what belongs to it.

    Args:
        cluster: The cluster, and the namespace of the service.
        name: Of the GrpcService.
        kinds: What is read of its children.
        events: Whether Events are read: those of the whole namespace, as only one object at a time
            can be selected.
        gateway: Whether its gateway and the proxies are read.

    Raises:
        CliError: The service does not exist, or the cluster cannot be read.
    """
    namespace = cluster.namespace
    service = await cluster.need(GRPC_SERVICES, namespace, name)
    wanted = tuple(kinds)
    unreadable: list[str] = []

    async def allowed(what: str, reading: Awaitable[list[Manifest]]) -> list[Manifest] | None:
        try:
            return await reading
        except CliError as error:
            if not isinstance(error.__cause__, ForbiddenError):
                raise
            unreadable.append(f"{what}: {error}")
            return None

    selector = labels.selector_text(name)
    lists = [
        allowed(
            each.plural,
            cluster.list(each, namespace, labels=selector, metadata_only=each in _METADATA_ONLY),
        )
        for each in wanted
    ]
    of_events = allowed("events", cluster.list(CORE_EVENTS, namespace)) if events else _nothing()
    of_proxies = allowed("proxies", proxies_of(cluster, service)) if gateway else _nothing()
    *found, its_events, its_proxies = await asyncio.gather(*lists, of_events, of_proxies)
    return Related(
        service,
        {
            each.kind: objects
            for each, objects in zip(wanted, found, strict=True)
            if objects is not None
        },
        tuple(unreadable),
        await _gateway(cluster, service) if gateway else None,
        its_proxies,
        its_events,
    )


async def proxies_of(cluster: Cluster, service: Manifest) -> list[Manifest]:
    """Returns the pods of the gateway that a service is attached to; none without a gateway.

    Raises:
        CliError: They cannot be read.
    """
    namespace, gateway = gateway_of(service)
    if not gateway:
        return []
    return await cluster.list(PODS, namespace, labels=f"{labels.GATEWAY}={gateway}")


def gateway_of(service: Manifest) -> tuple[str, str]:
    """Returns namespace and name of the gateway that a service is attached to; empty if none."""
    namespace, _, name = str(health.status_of(service).get("gateway") or "").partition("/")
    return namespace, name


async def _nothing() -> None:
    return None


async def _gateway(cluster: Cluster, service: Manifest) -> Manifest | None:
    """Returns the gateway; ``None`` if it does not exist, or the user may not read it."""
    namespace, name = gateway_of(service)
    if not name:
        return None
    try:
        return await cluster.get(GRPC_GATEWAYS, namespace, name)
    except CliError as error:
        if isinstance(error.__cause__, ForbiddenError):
            return None
        raise
