"""Admission policies and a webhook for one namespace, as an administrator installs them."""

import base64
import datetime as dt
import json
import socket
import ssl
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grpc_operator.resources import Resource
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
        with TemporaryDirectory() as folder:
            host = self._address_for_the_api_server()
            certificate = _certificate(Path(folder), host)
            server = _server(Path(folder), host, seen)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                self._register(f"https://{host}:{server.server_port}/", certificate)
                yield seen
            finally:
                self.close()
                server.shutdown()
                server.server_close()
                thread.join()

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

    def _address_for_the_api_server(self) -> str:
        """Returns this machine's address on the network of the API server."""
        server = urllib.parse.urlsplit(self._api.server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((server.hostname or "", server.port or 443))
            address: str = probe.getsockname()[0]
            return address


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


def _certificate(folder: Path, host: str) -> bytes:
    """Makes a key and a certificate for an address; returns the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "both.pem").write_bytes(private + pem)
    return pem


def _server(folder: Path, host: str, seen: Seen) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.requests += 1
            response = _response(review["request"], seen.requests)
            body = json.dumps({**review, "request": None, "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test counts the requests."""

    server = ThreadingHTTPServer((host, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


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
