"""Which revisions the objects of a GrpcService are for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grpc_operator import labels, names
from grpc_operator.api import GrpcService
from grpc_operator.desired.service import revision
from grpc_operator.desired.service.revision import Revision
from grpc_operator.resources import Manifest


@dataclass(frozen=True)
class Layout:
    """Which revisions the objects of a GrpcService are for.

    Attributes:
        latest: The revision of the current pod template: the one whose Deployment is built.
        stable: Name of the revision whose Deployment is autoscaled.
        stable_pods: Labels of the pods that the Services of the GrpcService select.
        replicas: Pods of the latest revision, while it is not the stable one.
        is_applied: Whether the Deployment of the latest revision is to exist.
        headless: Pod selectors of the headless Services of revisions, by revision.
    """

    latest: Revision
    stable: str
    stable_pods: Mapping[str, str]
    replicas: int | None = None
    is_applied: bool = True
    headless: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def rolling(service: GrpcService, live: Manifest | None = None) -> Layout:
    """Returns the layout of a service with one Deployment, which is updated in place.

    Args:
        service: The service.
        live: The Deployment, if it exists.
    """
    name = names.service_workload(service.metadata.name)
    latest = revision.of(service, name, live)
    return Layout(latest, latest.name, labels.service_selector(service.metadata.name))


def new(service: GrpcService) -> Layout:
    """Returns the layout of a service of which nothing exists yet."""
    if not service.spec.has_revisions:
        return rolling(service)
    name = names.revision(service.metadata.name, revision.digest(service))
    latest = revision.of(service, name, None)
    return Layout(latest, name, latest.selector, headless={name: latest.selector})
