"""``grpcop check`` against a real API server: what it answers is what the checks expect."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from grpc_operator.resources import DEPLOYMENTS, SERVICE_ACCOUNTS, Manifest, Resource
from tests.integration.api import Api
from tests.integration.space import Space
from tests.unit.cli import run
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
)

Results = dict[str, dict[str, str]]


@pytest.fixture
def check(cluster: Path, space: Space, tmp_path: Path) -> Callable[..., Results]:
    """Runs it in the namespace; returns the results by name."""

    def check(*arguments: str, token: str = "") -> Results:
        file = cluster
        if token:
            content = yaml.safe_load(cluster.read_text())
            content["users"][0]["user"] = {"token": token}
            file = tmp_path / "kubeconfig"
            file.write_text(yaml.safe_dump(content))
        where = ("--kubeconfig", str(file), "-n", space.name, "--timeout", "20s")
        ran = run("check", *arguments, *where, "-o", "json")
        assert ran.err == ""
        return {each["name"]: each for each in json.loads(ran.out)}

    return check


def test_before_the_installation(check: Callable[..., Results]) -> None:
    """The administrator may install; the CRDs of the tests are there already."""
    found = check("--pre")

    statuses = {name: each["status"] for name, each in found.items()}
    assert statuses["install-rights"] == statuses["admission"] == "ok"
    assert "belong to no Helm release" in found["leftovers"]["message"]
    assert "failed" not in statuses.values()


def test_a_quota_leaves_no_room(check: Callable[..., Results], space: Space) -> None:
    """The API server's own words are shown."""
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    space.api.create(QUOTAS, space.name, quota)

    found = check("--pre")["admission"]

    assert found["status"] == "failed"
    assert "exceeded quota: none" in found["message"]


def test_an_admission_webhook_is_down(check: Callable[..., Results], space: Space) -> None:
    """Whose name is said."""
    space.api.create(WEBHOOKS, None, _webhook(space.name))
    try:
        found = check("--pre")["admission"]
    finally:
        space.api.delete(WEBHOOKS, None, space.name)

    assert found["status"] == "failed"
    assert "down.example.com" in found["message"]
    assert "validatingwebhookconfigurations" in found["hint"]


def test_a_user_with_few_rights(check: Callable[..., Results], space: Space) -> None:
    """What may not be read fails with the right that is missing; the rest is checked."""
    found = check(token=_token(space.api, space.name))

    assert found["api-server"]["status"] == "ok"
    assert "you may not get grpcservices, " in found["user-rights"]["message"]
    assert found["crds"]["status"] == "failed"
    assert "kubectl create clusterrole grpcop --verb=get" in found["crds"]["hint"]
    assert found["lease"]["status"] == "skipped"


def test_an_operator_without_lease_and_rights(check: Callable[..., Results], space: Space) -> None:
    """Its pods run, but its ServiceAccount has no role."""
    space.api.create(DEPLOYMENTS, space.name, _operator())
    wait_until(lambda: _available(space), "the Deployment is available")

    found = check()

    assert found["crds"]["status"] == found["crds-version"]["status"] == "ok"
    assert found["operator"]["status"] == "ok"
    assert f"Lease {space.name}/grpc-operator does not exist" in found["lease"]["message"]
    account = f"system:serviceaccount:{space.name}:default may not list grpcservices, "
    assert found["operator-rights"]["message"].startswith(account)
    assert found["services"]["status"] == "ok"


def _available(space: Space) -> object:
    return space.get(DEPLOYMENTS, "grpc-operator").get("status", {}).get("availableReplicas")


def _webhook(namespace: str) -> Manifest:
    return {
        "metadata": {"name": namespace},
        "webhooks": [
            {
                "name": "down.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
            }
        ],
    }


def _token(api: Api, namespace: str) -> str:
    """Returns the token of a ServiceAccount without rights."""
    api.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": "nobody"}})
    path = f"{SERVICE_ACCOUNTS.path(namespace, 'nobody')}/token"
    return str(api.send("POST", path, {"spec": {"expirationSeconds": 600}})["status"]["token"])


def _operator() -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": "operator"}
    variable = {"name": "GRPC_OPERATOR_LEASE_NAME", "value": "grpc-operator"}
    container = {"name": "operator", "image": "none", "env": [variable]}
    return {
        "metadata": {"name": "grpc-operator", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
