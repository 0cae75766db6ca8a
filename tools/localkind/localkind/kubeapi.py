"""A small client of the cluster's API server, for what localkind itself reads and creates."""

import http.client
import json
import ssl
import urllib.parse
from typing import Any

from localkind.errors import LocalKindError
from localkind.record import Cluster

_FIELD_MANAGER = "localkind"
_TIMEOUT_SECONDS = 10.0
_SUCCESS = (http.HTTPStatus.OK, http.HTTPStatus.CREATED)


class KubeAPI:
    """Requests to one cluster as its admin."""

    def __init__(self, cluster: Cluster) -> None:
        server = urllib.parse.urlsplit(cluster.server)
        self._host, self._port = server.hostname or "", server.port
        self._tls = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
        self._tls.load_cert_chain(cluster.pki / "admin.crt", cluster.pki / "admin.key")

    def ready(self) -> bool:
        """Whether the API server answers and says that it is ready."""
        try:
            self._request("GET", "/readyz")
        except LocalKindError:
            return False
        return True

    def find(self, path: str) -> dict[str, Any] | None:
        """The object at an API path, or None when it does not exist.

        Raises:
            LocalKindError: any other answer than the object or 404.
        """
        answer = self._request("GET", path, missing_ok=True)
        return None if answer is None else _object(answer)

    def text(self, path: str) -> str:
        """The answer to a GET, unchanged."""
        return self._request("GET", path) or ""

    def apply(self, path: str, manifest: dict[str, Any]) -> None:
        """Server-side apply of one object at its path."""
        self._request(
            "PATCH",
            f"{path}?fieldManager={_FIELD_MANAGER}&force=true",
            json.dumps(manifest),
        )

    def _request(
        self, method: str, path: str, body: str | None = None, *, missing_ok: bool = False
    ) -> str | None:
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=_TIMEOUT_SECONDS, context=self._tls
        )
        headers = {"Content-Type": "application/apply-patch+yaml"} if body else {}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise LocalKindError(f"{method} {self._host}:{self._port}{path}: {error}") from error
        finally:
            connection.close()
        if missing_ok and response.status == http.HTTPStatus.NOT_FOUND:
            return None
        if response.status not in _SUCCESS:
            raise LocalKindError(f"{method} {path}: {response.status} {answer[:500]}")
        return answer


def _object(answer: str) -> dict[str, Any]:
    value = json.loads(answer)
    if not isinstance(value, dict):
        raise LocalKindError(f"the API server answered with {type(value).__name__}, not an object")
    return value
