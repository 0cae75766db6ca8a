"""The chart's ValidatingAdmissionPolicy in a real API server, against what the operator refuses."""

from collections.abc import Iterator
from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
from grpc_operator.desired.service import build
from grpc_operator.resources import DEPLOYMENTS, Manifest
from tests.golden.objects import of_kind
from tests.helm.chart import render
from tests.integration.api import Api, ApiError
from tests.integration.chart_objects import OPERATOR, installed
from tests.integration.credentials import Credentials
from tests.integration.space import Space
from tests.pod_attacks import ATTACKS, FINE, MAIN_CONTAINERS, deployment
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

HOST_NETWORK: dict[str, Any] = {"spec": {"hostNetwork": True}}


@pytest.fixture(scope="module")
def as_operator(api: Api, credentials: Credentials) -> Iterator[Api]:
    """The API server as the operator's ServiceAccount, with the chart's rights and policy.

    Gateways may have the network of the node; GrpcServices may have nothing.
    """
    values = {"podPolicy": {"gateways": {"allow": ["hostNetwork"]}}}
    kinds = ("ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy")
    objects = [each for each in render(values) if each["kind"].startswith(kinds)]
    with installed(api, objects):
        yield Api(credentials, user=OPERATOR)


def answer(api: Api, manifest: Manifest) -> str:
    """Returns why the API server refuses a Deployment; empty when it does not."""
    path = DEPLOYMENTS.path(manifest["metadata"]["namespace"])
    try:
        api.send("POST", path, manifest, dryRun="All")
    except ApiError as error:
        return error.message
    return ""


@pytest.fixture(scope="module")
def active(as_operator: Api, shared_space: Space) -> Api:
    """The same once the policy is in force."""
    attack = deployment("services", HOST_NETWORK, Allowance.ALL, namespace=shared_space.name)
    wait_until(lambda: answer(as_operator, attack), "the policy is in force")
    return as_operator


@pytest.mark.parametrize("kind", MAIN_CONTAINERS)
def test_the_api_server_refuses_what_the_operator_would(
    active: Api, shared_space: Space, kind: str
) -> None:
    """Every attack, with the allowance named: both are made from one list."""
    for attack in ATTACKS:
        overlay = attack.overlay(MAIN_CONTAINERS[kind])
        manifest = deployment(kind, overlay, Allowance.ALL, namespace=shared_space.name)
        refused = answer(active, manifest)
        if kind == "gateways" and attack.allowance == (Allowance.HOST_NETWORK,):
            assert refused == "", attack.name
        else:
            ask = (
                f"the pods ask for {allowance}, which the chart value podPolicy.{kind}"
                for allowance in attack.allowance
            )
            assert any(text in refused for text in ask), attack.name


@pytest.mark.parametrize("kind", MAIN_CONTAINERS)
def test_the_api_server_allows_what_the_operator_does(
    active: Api, shared_space: Space, kind: str
) -> None:
    """The policy stops nothing that is fine, and nobody but the operator."""
    for name, pod in FINE.items():
        manifest = deployment(kind, {"spec": pod}, namespace=shared_space.name)
        assert answer(active, manifest) == "", name
    attack = deployment(kind, HOST_NETWORK, Allowance.ALL, namespace=shared_space.name)
    assert answer(shared_space.api, attack) == ""


def test_the_api_server_admits_the_account_that_the_operator_has_checked(
    active: Api, shared_space: Space
) -> None:
    """By the Deployment's annotation; any other account is refused."""
    service = GrpcService.parse(
        {
            "metadata": {
                "name": "users",
                "namespace": shared_space.name,
                "uid": "u-1",
                "generation": 1,
            },
            "spec": {"image": "users:1", "serviceAccountName": "backend"},
        }
    )
    manifest = of_kind(build(service, account_is_allowed=True), "Deployment")
    assert answer(active, manifest) == ""
    manifest["metadata"]["annotations"][labels.SERVICE_ACCOUNT] = "frontend"
    assert "the pods ask for serviceAccountName" in answer(active, manifest)


def test_the_api_server_admits_the_account_of_a_service_for_its_revisions(
    active: Api, shared_space: Space
) -> None:
    """Their Deployments have names of their own; an account whose name is similar is refused."""
    metadata = {"name": "users", "namespace": shared_space.name, "uid": "u-1", "generation": 1}
    spec = {"image": "users:1", "rollout": {}}
    service = GrpcService.parse({"metadata": metadata, "spec": spec})
    manifest = of_kind(build(service), "Deployment")
    pod, name = manifest["spec"]["template"]["spec"], manifest["metadata"]["name"]
    assert name.startswith("users-")
    assert answer(active, manifest) == ""
    for account in ("user", "users-a", name[:-1]):
        pod["serviceAccountName"] = account
        assert "the pods ask for serviceAccountName" in answer(active, manifest), account
    pod["serviceAccountName"] = "users"
    manifest["metadata"]["name"] = "users-of-another"
    assert "the pods ask for serviceAccountName" in answer(active, manifest)
