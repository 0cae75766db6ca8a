"""A small client of the API server: JSON in, JSON out."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import urllib3

from grpc_operator import resources
from grpc_operator.resources import Manifest, Resource
from tests.integration.credentials import Credentials

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"

NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CRD")


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, message: str, causes: list[dict[str, str]]) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.message = message
        self.causes = causes


class Api:
    """The API server, with the rights of the cluster's administrator, or of a user that it plays.

    Args:
        credentials: The administrator's.
        user: Name of the user, if any.
    """

    def __init__(self, credentials: Credentials, user: str = "") -> None:
        self.server = credentials.server
        self._user = {"Impersonate-User": user} if user else {}
        self._pool = urllib3.PoolManager(ssl_context=credentials.tls, maxsize=8, retries=False)

    def send(
        self, method: str, path: str, body: Any = None, *, content_type: str = "", **query: str
    ) -> Manifest:
        """Makes one request and returns the answer.

        Raises:
            ApiError: The server refused.
        """
        url = f"{self.server}{path}?{urlencode(query)}"
        headers = {"Content-Type": content_type or "application/json", **self._user}
        data = None if body is None else json.dumps(body)
        answer = self._pool.request(method, url, body=data, headers=headers, timeout=30)
        result: Manifest = json.loads(answer.data)
        if answer.status >= 400:
            details = result.get("details") or {}
            raise ApiError(answer.status, result.get("message", ""), details.get("causes") or [])
        return result

    def get(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        """Returns one object, or ``None``."""
        try:
            return self.send("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, resource: Resource, namespace: str | None = None) -> list[Manifest]:
        """Returns every object."""
        items: list[Manifest] = self.send("GET", resource.path(namespace))["items"]
        return items

    def create(self, resource: Resource, namespace: str | None, manifest: Manifest) -> Manifest:
        """Creates an object, as strictly as kubectl does."""
        return self.send("POST", resource.path(namespace), manifest, fieldValidation="Strict")

    def apply(self, manifest: Manifest, *, manager: str = "kubectl") -> Manifest:
        """Applies a watched object as ``kubectl apply --server-side`` does."""
        metadata = manifest["metadata"]
        return self.send(
            "PATCH",
            resources.of(manifest).path(metadata["namespace"], metadata["name"]),
            manifest,
            content_type=APPLY,
            fieldManager=manager,
            force="true",
            fieldValidation="Strict",
        )

    def patch(
        self, resource: Resource, namespace: str, name: str, change: Manifest, *, sub: str = ""
    ) -> Manifest:
        """Changes an object, or its subresource such as ``/status``, by a JSON merge patch."""
        path = resource.path(namespace, name) + sub
        return self.send("PATCH", path, change, content_type=MERGE, fieldManager="kubectl-edit")

    def delete(
        self, resource: Resource, namespace: str | None, name: str, policy: str = "Background"
    ) -> None:
        """Deletes an object; it may be gone already."""
        try:
            self.send("DELETE", resource.path(namespace, name), propagationPolicy=policy)
        except ApiError as error:
            if error.status != 404:
                raise

    def watch(self, resource: Resource, namespace: str, seconds: int) -> Iterator[Manifest]:
        """Yields what happens to objects, beginning with every one that exists."""
        query = urlencode({"watch": "true", "timeoutSeconds": seconds})
        url = f"{self.server}{resource.path(namespace)}?{query}"
        answer = self._pool.request("GET", url, preload_content=False, timeout=seconds + 10)
        buffer = b""
        for chunk in answer.stream():
            *lines, buffer = (buffer + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines)
