"""One HTTP conversation with the API server: authentication, timeouts, errors."""

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import client, config

from grpc_operator.errors import (
    AdmissionDeniedError,
    ClusterError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
)
from grpc_operator.kube import apply_body
from grpc_operator.kube.availability import Availability

REQUEST_TIMEOUT = 10.0
"""Seconds after which a request counts as failed."""

_CLOSE_TIMEOUT = 2.0
"""Seconds that the other side of a WebSocket has to close it too."""

_LONGEST_LINE = 64 * 1024
"""Bytes of a line of a log that are kept."""

_FROM_A_LOAD_BALANCER = {502, 503}
"""HTTP status when the API server itself is not reached, or is not ready yet."""

_ERRORS: dict[int, type[ClusterError]] = {
    400: RejectedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: RejectedError,
    422: RejectedError,
}

_DENIED = re.compile(
    r"""(\S+ "[^"]*" is (forbidden|invalid): )?"""
    r"(admission webhook .+ denied the request|ValidatingAdmissionPolicy .+ denied request)"
)
"""How a message begins when admission denies a request (k8s.io/apiserver, ``ToStatusErr`` of
``admission/plugin/webhook/errors`` and ``admission/plugin/policy/validating/dispatcher.go``). The
status is up to the webhook or policy, so it may be one that means something else."""


@dataclass(frozen=True)
class Kubeconfig:
    """The cluster to run for from outside of it.

    Attributes:
        file: The kubeconfig; ``$KUBECONFIG`` or ``~/.kube/config`` when ``None``.
        context: Its context; the current one when ``None``.
    """

    file: str | None = None
    context: str | None = None


class Connection:
    """Sends JSON, receives JSON; every failure is a ``ClusterError``.

    Attributes:
        in_cluster: Whether it is that of the pod's ServiceAccount.
        namespace: That of the kubeconfig's context; ``None`` if it names none.
        availability: Whether the API server answers.
    """

    def __init__(
        self, api: client.ApiClient, *, in_cluster: bool, namespace: str | None = None
    ) -> None:
        self._api = api
        self.availability = Availability()
        self.in_cluster = in_cluster
        self.namespace = namespace

    @classmethod
    async def open(cls, kubeconfig: Kubeconfig | None) -> "Connection":
        """Connects as the pod's ServiceAccount, or by a kubeconfig.

        A kubeconfig is never used unless it is asked for: an operator that is started by mistake
        would act on whatever cluster its user worked on last.

        Raises:
            ConfigurationError: This is not a pod with a ServiceAccount, or the kubeconfig is not
                usable.
        """
        configuration = client.Configuration()
        namespace = None
        if kubeconfig is not None:
            namespace = await _load(kubeconfig, configuration)
        else:
            try:
                config.load_incluster_config(client_configuration=configuration)
            except config.ConfigException as error:
                raise ConfigurationError(
                    f"this is not a pod with the token of a ServiceAccount ({error}); to run"
                    " outside of a cluster, name it with --kubeconfig FILE or --context NAME"
                ) from error
        # By default aiohttp reads the environment, and ~/.netrc, in a thread for every request.
        configuration.client_session_kwargs = {"trust_env": _by_proxy(configuration.host)}
        return cls(
            client.ApiClient(configuration), in_cluster=kubeconfig is None, namespace=namespace
        )

    async def credentials(self) -> dict[str, Any]:
        """Returns server and credentials for another client, named as kopf's ``ConnectionInfo``."""
        found = self._api.configuration
        headers: dict[str, str] = {}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], "", "GET", None)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return {
            "server": found.host,
            "ca_path": found.ssl_ca_cert,
            "insecure": not found.verify_ssl,
            "certificate_path": found.cert_file,
            "private_key_path": found.key_file,
            "scheme": scheme or None,
            "token": token or None,
        }

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
        accept: str = "application/json",
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to aiohttp, which enforces it
    ) -> dict[str, Any]:
        """Makes one request and returns the answer.

        Raises:
            ClusterError: The server did not answer, or refused; the subclass says how.
        """
        if content_type == apply_body.CONTENT_TYPE:
            body = apply_body.encode(body)
            # With a parameter, the client sends a body of this type as it is.
            content_type += ";charset=utf-8"
        headers = {"Accept": accept, "Content-Type": content_type}
        url = await self._address(method, path, query, headers)
        what, started = f"{method} {path}", time.monotonic()
        try:
            answer = await self._api.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
            data = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            detail = str(error) or type(error).__name__
            words = f"no answer from the API server: {detail}"
            self.availability.failed(started, detail)
            raise ClusterError(f"{what}: {words}", words=words) from error
        refusal = None
        if answer.status >= 400:  # noqa: PLR2004 - HTTP
            refusal = _refusal(what, answer.status, data, answer.headers.get("Retry-After"))
        if answer.status in _FROM_A_LOAD_BALANCER and not isinstance(refusal, AdmissionDeniedError):
            self.availability.failed(started, str(refusal))
        else:
            self.availability.answered()
        if refusal is not None:
            raise refusal
        try:
            result: dict[str, Any] = json.loads(data) if data else {}
        except ValueError as error:
            raise ClusterError(f"{what}: the answer is not JSON, but {data[:200]!r}") from error
        return result

    @asynccontextmanager
    async def websocket(
        self, path: str, *, query: dict[str, str], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Yields a WebSocket to a subresource, and closes it.

        Args:
            path: Of the subresource.
            query: Its parameters.
            protocol: The subprotocol (``Sec-WebSocket-Protocol``).

        Raises:
            ClusterError: The server did not answer, or refused; the subclass says how.
        """
        headers: dict[str, str] = {}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        rest = self._api.rest_client
        if rest.pool_manager is None:
            rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001 - as WsApiClient does
        url = f"ws{self._api.configuration.host.removeprefix('http')}{path}?{urlencode(query)}"
        connecting = rest.pool_manager.ws_connect(
            url,
            protocols=(protocol,),
            headers=headers,
            proxy=rest.proxy,
            proxy_headers=rest.proxy_headers,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT),
        )
        try:
            socket = await asyncio.wait_for(connecting, REQUEST_TIMEOUT)
        except aiohttp.WSServerHandshakeError as error:
            await self.send("GET", path, query=query)  # refused with words, which aiohttp drops
            raise _refusal(f"GET {path}", error.status, b"", None) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            words = f"no answer from the API server: {error or type(error).__name__}"
            raise ClusterError(f"GET {path}: {words}", words=words) from error
        try:
            yield socket
        finally:
            await socket.close()

    async def lines(self, path: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """Yields the lines of an answer as they arrive, without their ends: the log of a pod.

        Args:
            path: What to read.
            query: Its parameters.

        Raises:
            ClusterError: The server did not answer, or refused; the subclass says how.
        """
        headers = {"Accept": "*/*"}
        url, what = await self._address("GET", path, query, headers), f"GET {path}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_TIMEOUT)
        try:
            answer = await self._api.rest_client.request(
                "GET", url, headers=headers, _request_timeout=timeout
            )
            if answer.status >= 400:  # noqa: PLR2004 - HTTP
                data = await answer.read()
                raise _refusal(what, answer.status, data, answer.headers.get("Retry-After"))
            async with answer.response:
                async for line in _lines(answer.response.content):
                    yield line
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            words = f"no answer from the API server: {error!s}"
            raise ClusterError(f"{what}: {words}", words=words) from error

    async def _address(
        self, method: str, path: str, query: dict[str, str] | None, headers: dict[str, str]
    ) -> str:
        """Returns the URL of a request, and adds its credentials to the headers."""
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        host = str(self._api.configuration.host)
        return host + path + (f"?{urlencode(query)}" if query else "")


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yields lines; of one that is longer than ``_LONGEST_LINE``, only its beginning."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line[:_LONGEST_LINE]
        rest = rest[:_LONGEST_LINE]
    if rest:
        yield rest


async def _load(kubeconfig: Kubeconfig, configuration: client.Configuration) -> str | None:
    """Fills in a configuration; returns the namespace of the context."""
    named = kubeconfig.file or os.environ.get("KUBECONFIG") or "~/.kube/config"
    try:
        loader = await config.load_kube_config(
            config_file=_existing(named),
            context=kubeconfig.context,
            client_configuration=configuration,
            persist_config=False,
        )
    except (config.ConfigException, OSError, ValueError) as error:
        text = " ".join(str(error).split())
        raise ConfigurationError(f"kubeconfig {named}: {text}") from error
    namespace = loader.current_context["context"].get("namespace")
    return str(namespace) if namespace else None


def _by_proxy(server: str) -> bool:
    """Whether the environment (HTTPS_PROXY, NO_PROXY) says that a server is behind a proxy."""
    url = urlsplit(server)
    return url.scheme in getproxies() and not proxy_bypass(url.hostname or "")


def _existing(named: str) -> str:
    """Returns the files of a kubeconfig, with the home directory filled in.

    Raises:
        ConfigurationError: None of them exists.
    """
    files = [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    if not any(file.is_file() for file in files):
        raise ConfigurationError(f"kubeconfig {named}: no such file")
    return os.pathsep.join(map(str, files))


def _refusal(what: str, status: int, data: bytes, retry_after: str | None) -> ClusterError:
    try:
        message = str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        message = data[:200].decode(errors="replace")
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    text = f"{what}: {message} (HTTP {status})"
    kind = _error_of(status, message)
    return kind(text, words=message, status=status, retry_after=seconds)


def _error_of(status: int, message: str) -> type[ClusterError]:
    if _DENIED.match(message):
        return AdmissionDeniedError
    # The API server answers 500 when an apply holds a field that the schema does not know.
    if message.startswith("failed to create typed patch object"):
        return RejectedError
    return _ERRORS.get(status, ClusterError)
