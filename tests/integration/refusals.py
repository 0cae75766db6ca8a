"""Ways in which the API server refuses the objects of one namespace, each for one GrpcService."""

import base64
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from grpc_operator.resources import Resource
from tests.integration import webhook_server
from tests.integration.api import Api, ApiError
from tests.integration.space import Space
from tests.waiting import wait_until

_GROUP = "admissionregistration.k8s.io"
_WEBHOOKS = Resource(
    _GROUP, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"
)
_POLICIES = Resource(_GROUP, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy")
_BINDINGS = Resource(
    _GROUP, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"
)
_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")

Rule = tuple[str, str, str]
"""API group, version and resource."""

DEPLOYMENTS: Rule = ("apps", "v1", "deployments")
STATUS: Rule = ("grpc.infera.dev", "v1alpha1", "grpcservices/status")
EVENTS: Rule = ("events.k8s.io", "v1", "events")

CODES = (400, 403, 404, 409, 422, 429, 503)
"""HTTP statuses that a webhook may choose for its denial."""


@dataclass(frozen=True)
class Case:
    """What happens to one GrpcService.

    Attributes:
        name: Its name.
        child: What the API server refuses.
        reason: Of ``Ready``.
        words: What its message quotes.
    """

    name: str
    child: str
    reason: str
    words: str


CASES = [
    Case("down", "Deployment down", "WriteFailed", "failed calling webhook 'down.example.com'"),
    Case("hangs", "Deployment hangs", "WriteFailed", "failed calling webhook 'hangs.example.com'"),
    Case("policy", "Deployment policy", "AdmissionDenied", "every Deployment needs the label team"),
    Case("quota", "HorizontalPodAutoscaler quota", "Forbidden", "exceeded quota: no-autoscalers"),
    *(
        Case(f"code-{code}", f"Deployment code-{code}", "AdmissionDenied", f"no thanks, {code}")
        for code in CODES
    ),
]


@contextmanager
def installed(api: Api, space: Space) -> Iterator[None]:
    """Installs what refuses the Deployment of each case, and the status of ``no-status``."""
    with ExitStack() as stack:
        webhook = stack.enter_context(webhook_server.running(api, _deny))
        silent = stack.enter_context(socket.create_server((webhook_server.address_for(api), 0)))
        nobody = f"https://{webhook_server.address_for(api)}:1/"
        hanging = f"https://{webhook_server.address_for(api)}:{silent.getsockname()[1]}/"
        url, certificate = webhook
        webhooks = [
            _webhook(space, "down", DEPLOYMENTS, nobody),
            _webhook(space, "hangs", DEPLOYMENTS, hanging, seconds=5),
            _webhook(space, "no-status", STATUS, f"{url}404", certificate),
            *(
                _webhook(space, f"code-{code}", DEPLOYMENTS, f"{url}{code}", certificate)
                for code in CODES
            ),
        ]
        name = f"test-{uuid.uuid4().hex[:8]}"
        made: list[tuple[Resource, str | None, dict[str, Any], str]] = [
            (_WEBHOOKS, None, {"webhooks": webhooks}, name),
            (_POLICIES, None, {"spec": _policy()}, name),
            (_BINDINGS, None, {"spec": _binding(space, name)}, name),
            (_QUOTAS, space.name, {"spec": _quota()}, "no-autoscalers"),
        ]
        for resource, namespace, body, called in made:
            api.create(resource, namespace, {"metadata": {"name": called}, **body})
            stack.callback(api.delete, resource, namespace, called)
        for case in CASES:
            if case.name not in {"quota", "hangs"}:
                wait_until(partial(_refused, api, space, case.name), f"{case.name} is refused")
        yield


def _deny(path: str, _: dict[str, Any]) -> dict[str, Any]:
    code = int(path.strip("/").partition("?")[0])
    return {"allowed": False, "status": {"code": code, "message": f"no thanks, {code}"}}


def _webhook(
    space: Space, name: str, rule: Rule, url: str, certificate: bytes = b"", *, seconds: int = 10
) -> dict[str, Any]:
    group, version, resource = rule
    ca = {"caBundle": base64.b64encode(certificate).decode()} if certificate else {}
    return {
        "name": f"{name}.example.com",
        "clientConfig": {"url": url, **ca},
        "rules": [
            {
                "apiGroups": [group],
                "apiVersions": [version],
                "resources": [resource],
                "operations": ["CREATE", "UPDATE"],
            }
        ],
        "matchConditions": [{"name": "name", "expression": f"object.metadata.name == '{name}'"}],
        "namespaceSelector": _selector(space),
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Fail",
        "timeoutSeconds": seconds,
    }


def _policy() -> dict[str, Any]:
    group, version, resource = DEPLOYMENTS
    rule = {
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": [resource],
        "operations": ["CREATE", "UPDATE"],
    }
    denied = "object.metadata.name != 'policy' || 'team' in object.metadata.?labels.orValue({})"
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": denied, "message": "every Deployment needs the label team"}],
    }


def _binding(space: Space, policy: str) -> dict[str, Any]:
    return {
        "policyName": policy,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": _selector(space)},
    }


def _quota() -> dict[str, Any]:
    return {"hard": {"count/horizontalpodautoscalers.autoscaling": "0"}}


def _selector(space: Space) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": space.name}}


def _refused(api: Api, space: Space, name: str) -> bool:
    """Whether the API server has noticed; it reads what is installed from watches."""
    path = Resource("apps", "v1", "deployments", "Deployment").path(space.name)
    probe = {
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "a", "image": "a"}]},
            },
        },
    }
    try:
        api.send("POST", path, probe, dryRun="All")
    except ApiError:
        return True
    return False
