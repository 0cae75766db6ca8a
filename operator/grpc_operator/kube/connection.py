"""One HTTP conversation with the API server: authentication, timeouts, errors."""

import json
import os
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client, config

from grpc_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
)

REQUEST_TIMEOUT = 10.0
"""Seconds after which a request counts as failed."""

_ERRORS: dict[int, type[ClusterError]] = {
    400: RejectedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: RejectedError,
}


class Connection:
    """Sends JSON, receives JSON; every failure is a ``ClusterError``."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @classmethod
    async def open(cls) -> "Connection":
        """Connects as the pod's service account, or else as the current kubeconfig context.

        Raises:
            ClusterError: There is neither a service account nor a usable kubeconfig.
        """
        configuration = client.Configuration()
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(client_configuration=configuration)
            else:
                await config.load_kube_config(client_configuration=configuration)
        except config.ConfigException as error:
            raise ClusterError(f"no way to reach a cluster: {error}") from error
        return cls(client.ApiClient(configuration))

    async def close(self) -> None:
        """Closes every connection."""
        await self._api.close()

    async def send(  # noqa: PLR0913 - an HTTP request has this many parts
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to aiohttp, which enforces it
    ) -> dict[str, Any]:
        """Makes one request and returns the answer.

        Raises:
            ClusterError: The server did not answer, or refused; the subclass says how.
        """
        headers = {"Accept": "application/json", "Content-Type": content_type}
        parameters: list[tuple[str, str]] = []
        await self._api.update_params_for_auth(
            headers, parameters, ["BearerToken"], path, method, body
        )
        url = self._api.configuration.host + path
        if query:
            url += "?" + urlencode(query)
        what = f"{method} {path}"
        try:
            answer = await self._api.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
            data = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            detail = str(error) or type(error).__name__
            raise ClusterError(f"{what}: no answer from the API server: {detail}") from error
        if answer.status >= 400:  # noqa: PLR2004 - HTTP
            raise _refusal(what, answer.status, data, answer.headers.get("Retry-After"))
        result: dict[str, Any] = json.loads(data) if data else {}
        return result


def _refusal(what: str, status: int, data: bytes, retry_after: str | None) -> ClusterError:
    try:
        message = str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        message = data[:200].decode(errors="replace")
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    # The API server answers 500 when an apply holds a field that the schema does not know.
    mistyped = message.startswith("failed to create typed patch object")
    kind = RejectedError if mistyped else _ERRORS.get(status, ClusterError)
    return kind(f"{what}: {message} (HTTP {status})", status=status, retry_after=seconds)
