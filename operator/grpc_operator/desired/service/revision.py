"""A revision: one pod template of a GrpcService, named like its Deployment.

Its digest is in an annotation of the Deployment, so that a template that was there before is found
again whatever the Deployment is called.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator import hashing, labels
from grpc_operator.api import GrpcService
from grpc_operator.desired.service import pod_template
from grpc_operator.resources import Manifest

_DIGITS = 8


@dataclass(frozen=True)
class Revision:
    """A revision of a GrpcService.

    Attributes:
        name: Its name, and that of its Deployment.
        digest: Hash of what makes it, 8 hexadecimal digits.
        selector: The immutable pod selector of its Deployment.
    """

    name: str
    digest: str
    selector: Mapping[str, str]


def digest(service: GrpcService) -> str:
    """Returns the hash of what makes a revision: the pod template, and what it offers of its API.

    Raises:
        KeyError: The overlay is invalid; ``check`` says how.
    """
    spec = service.spec
    made_of: dict[str, Any] = {
        "template": pod_template.build(service),
        "descriptor": spec.descriptor.wire(),
        "services": sorted(spec.services or ()),
    }
    rules = spec.gateway.http_rules if spec.gateway is not None else ()
    if rules:  # as operators that know none
        made_of["rules"] = sorted((each.wire() for each in rules), key=lambda it: it["selector"])
    return hashing.digest(hashing.canonical_json(made_of).encode())[:_DIGITS]


def of(service: GrpcService, name: str, live: Manifest | None) -> Revision:
    """Returns the revision of the current pod template.

    Args:
        service: The service.
        name: Name of the revision.
        live: Its Deployment, if it exists. Its selector cannot be changed, and labels that the
            selector does not need would only replace all of its pods.
    """
    return Revision(name, digest(service), selector(service, name, live))


def digest_of(live: Manifest) -> str | None:
    """Returns the digest of the revision that a Deployment has, if it is known."""
    return (live["metadata"].get("annotations") or {}).get(labels.REVISION_HASH)


def selector(service: GrpcService, name: str, live: Manifest | None) -> dict[str, str]:
    """Returns the pod selector of a revision: that of its Deployment, if that exists.

    Operators without revisions have made Deployments without the label.
    """
    if live is not None and labels.REVISION not in live["spec"]["selector"]["matchLabels"]:
        return labels.service_selector(service.metadata.name)
    return labels.revision_selector(service.metadata.name, name)
