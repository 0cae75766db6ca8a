"""Admission policies and a webhook for one namespace, as an administrator installs them."""

import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grpc_operator.resources import Resource
from tests.integration import webhook_server
from tests.integration.api import Api, ApiError
from tests.waiting import wait_until

_GROUP = "admissionregistration.k8s.io"


def _resource(kind: str) -> Resource:
    plural = f"{kind.lower()[:-1]}ies" if kind.endswith("Policy") else f"{kind.lower()}s"
    return Resource(_GROUP, "v1", plural, kind)


MUTATING = _resource("MutatingAdmissionPolicy")
MUTATING_BINDINGS = _resource("MutatingAdmissionPolicyBinding")
VALIDATING = _resource("ValidatingAdmissionPolicy")
VALIDATING_BINDINGS = _resource("ValidatingAdmissionPolicyBinding")
WEBHOOKS = _resource("MutatingWebhookConfiguration")


@dataclass
class Seen:
    """What a webhook was asked."""

    requests: int = 0


class Policies:
    """What is installed for one namespace.

    Args:
        api: The API server.
        namespace: The only namespace that they are for.
    """

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._made: list[tuple[Resource, str]] = []

    def close(self) -> None:
        """Removes everything."""
        while self._made:
            resource, name = self._made.pop()
            self._api.delete(resource, None, name)

    def mutate_deployments(self, patch: str) -> None:
        """Changes every Deployment that is created or updated.

        Args:
            patch: A strategic merge patch as JSON, which becomes an apply configuration in CEL.
        """
        spec = {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": self._match("apps", "deployments"),
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": _cel(json.loads(patch), "Object")},
                }
            ],
        }
        self._install(MUTATING, MUTATING_BINDINGS, spec, {})
        self._wait_until_active_for_deployments()

    def publish_pods_without_a_node(self) -> None:
        """Has the endpoint slice controller publish pods that no node runs, as if they were ready.

        It leaves out pods of unknown nodes, unless the Service publishes those that are not ready.
        """
        spec = {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": self._match("", "services"),
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {
                        "expression": _cel({"spec": {"publishNotReadyAddresses": True}}, "Object")
                    },
                }
            ],
        }
        self._install(MUTATING, MUTATING_BINDINGS, spec, {})
        path = Resource("", "v1", "services", "Service").path(self._namespace)
        probe = {"metadata": {"name": "probe"}, "spec": {"ports": [{"port": 1}]}}

        def active() -> bool:
            made = self._api.send("POST", path, probe, dryRun="All")
            return bool(made["spec"].get("publishNotReadyAddresses"))

        wait_until(active, "the policy is active")

    def deny_services(self, name: str, when: str = "true") -> None:
        """Denies one Service, where a CEL condition over ``object`` holds."""
        spec = {
            "failurePolicy": "Fail",
            "matchConstraints": self._match("", "services"),
            "validations": [
                {
                    "expression": f"object.metadata.name != '{name}' || !({when})",
                    "message": "denied by the test",
                }
            ],
        }
        self._install(VALIDATING, VALIDATING_BINDINGS, spec, {"validationActions": ["Deny"]})
        probe = {
            "metadata": {"name": name},
            "spec": {"type": "ClusterIP", "ports": [{"port": 1}]},
        }
        services = Resource("", "v1", "services", "Service")

        def active() -> bool:
            try:
                self._api.send("POST", services.path(self._namespace), probe, dryRun="All")
            except ApiError as error:
                return "denied by the test" in error.message
            return False

        wait_until(active, "the policy is active")

    @contextmanager
    def webhook(self) -> Iterator[Seen]:
        """A mutating webhook that gives every Deployment another annotation at each request."""
        seen = Seen()

        def annotate(_: str, request: dict[str, Any]) -> dict[str, Any]:
            seen.requests += 1
            return _response(request, seen.requests)

        with webhook_server.running(self._api, annotate) as (url, certificate):
            self._register(url, certificate)
            try:
                yield seen
            finally:
                self.close()

    def _register(self, url: str, certificate: bytes) -> None:
        name = f"test-{uuid.uuid4().hex[:8]}"
        rule = {
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "resources": ["deployments"],
            "operations": ["CREATE", "UPDATE"],
        }
        webhook = {
            "name": "annotate.example.com",
            "clientConfig": {"url": url, "caBundle": base64.b64encode(certificate).decode()},
            "rules": [rule],
            "namespaceSelector": self._selector(),
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail",
        }
        self._create(WEBHOOKS, name, {"webhooks": [webhook]})
        self._wait_until_active_for_deployments()

    def _install(
        self, policies: Resource, bindings: Resource, spec: dict[str, Any], binding: dict[str, Any]
    ) -> None:
        name = f"test-{uuid.uuid4().hex[:8]}"
        self._create(policies, name, {"spec": spec})
        self._create(bindings, name, {"spec": {"policyName": name, **binding}})

    def _create(self, resource: Resource, name: str, body: dict[str, Any]) -> None:
        self._api.create(resource, None, {"metadata": {"name": name}, **body})
        self._made.append((resource, name))

    def _selector(self) -> dict[str, Any]:
        return {"matchLabels": {"kubernetes.io/metadata.name": self._namespace}}

    def _match(self, group: str, resource: str) -> dict[str, Any]:
        rule = {
            "apiGroups": [group],
            "apiVersions": ["v1"],
            "resources": [resource],
            "operations": ["CREATE", "UPDATE"],
        }
        return {"namespaceSelector": self._selector(), "resourceRules": [rule]}

    def _wait_until_active_for_deployments(self) -> None:
        """The API server reads its policies from a watch; a dry run shows when it has."""
        deployments = Resource("apps", "v1", "deployments", "Deployment")
        probe = {
            "metadata": {"name": "probe"},
            "spec": {
                "progressDeadlineSeconds": 601,
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "a", "image": "a"}]},
                },
            },
        }

        def changed() -> bool:
            path = deployments.path(self._namespace)
            made = self._api.send("POST", path, probe, dryRun="All")
            return (
                bool(made["metadata"].get("labels") or made["metadata"].get("annotations"))
                or made["spec"]["progressDeadlineSeconds"] != 601
                or made["spec"]["template"]["spec"]["schedulerName"] == "other"
            )

        wait_until(changed, "the policy is active")


def _cel(value: Any, type_: str) -> str:
    """Returns a JSON value as a CEL expression of an apply configuration."""
    if isinstance(value, dict):
        if type_.endswith((".labels", ".annotations")):
            return (
                "{" + ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "}"
            )
        fields = ", ".join(
            f"{key}: {_cel(child, f'{type_}.{key}')}" for key, child in value.items()
        )
        return f"{type_}{{{fields}}}"
    if isinstance(value, list):
        return "[" + ", ".join(_cel(child, type_) for child in value) + "]"
    return json.dumps(value)


def _response(request: dict[str, Any], number: int) -> dict[str, Any]:
    """Returns an answer that overwrites one field of the operator's and adds one that differs."""
    annotations = request["object"]["metadata"].get("annotations") or {}
    patch = [
        {"op": "add", "path": "/spec/progressDeadlineSeconds", "value": 900},
        {
            "op": "add",
            "path": "/metadata/annotations",
            "value": annotations | {"webhook.example.com/request": str(number)},
        },
    ]
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": encoded}
