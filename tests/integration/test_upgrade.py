"""A newer operator finds what an older one has made, and leaves the pods alone."""

from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import stamped
from grpc_operator.desired.service import build
from grpc_operator.resources import DEPLOYMENTS, GRPC_SERVICES, PODS, Manifest
from tests.integration.api import REPLICA_SETS
from tests.integration.conftest import Start
from tests.integration.proxy import Proxy
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster


def without_revisions(manifest: Manifest) -> Manifest:
    """Returns a manifest as operators without revisions have applied it."""
    if manifest["kind"] != DEPLOYMENTS.kind:
        return manifest
    metadata = {**manifest["metadata"], "annotations": {}}
    spec = manifest["spec"]
    template = spec["template"]
    given = {k: v for k, v in template["metadata"]["labels"].items() if k != labels.REVISION}
    selector = {"matchLabels": {labels.SERVICE: given[labels.SERVICE]}}
    old_template = {**template, "metadata": {"labels": given}}
    old_spec = {**spec, "selector": selector, "template": old_template}
    return stamped({**manifest, "metadata": metadata, "spec": old_spec})


def installed_before(space: Space) -> Manifest:
    """Makes a GrpcService with the children that an operator without revisions has applied."""
    space.apply()
    for manifest in build(GrpcService.parse(space.live())):
        space.api.apply(without_revisions(manifest), manager=labels.FIELD_MANAGER)
    wait_until(lambda: len(ready_pods(space)) == 2, "the pods are ready")
    return space.deployment()


def ready_pods(space: Space) -> list[dict[str, Any]]:
    """Returns the pods that are ready."""
    return [
        pod
        for pod in space.api.list(PODS, space.name)
        if condition(pod, "Ready").get("status") == "True"
    ]


def test_an_upgrade_leaves_the_selector_and_the_pods_alone(
    start: Start, proxy: Proxy, space: Space
) -> None:
    """It only adds an annotation; a new pod template is rolled out in the same Deployment."""
    before = installed_before(space)
    names = {pod["metadata"]["name"] for pod in ready_pods(space)}

    start(proxy).wait_lease()
    space.wait_ready()

    after = space.deployment()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"] == before["spec"]
    assert labels.REVISION_HASH in after["metadata"]["annotations"]
    assert {pod["metadata"]["name"] for pod in ready_pods(space)} == names
    written = [call.resource for call in proxy.writes() if call.resource != "grpcservices/status"]
    assert written == ["deployments"]

    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    assert space.deployment()["metadata"]["uid"] == before["metadata"]["uid"]
    assert len(space.api.list(REPLICA_SETS, space.name)) == 2


def test_a_lost_label_does_not_hide_the_selector(start: Start, proxy: Proxy, space: Space) -> None:
    """A Deployment that is not watched for want of its labels is read before it is written."""
    before = installed_before(space)
    space.edit(DEPLOYMENTS, "users", {"metadata": {"labels": None}})

    start(proxy).wait_lease()
    space.wait_ready()

    after = space.deployment()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"] == before["spec"]
    assert after["metadata"]["labels"][labels.SERVICE] == "users"
    assert space.get(GRPC_SERVICES, "users")["status"]["readySummary"] == "2/2"
