"""The Secret with the certificates of the xDS server, which all replicas share."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from grpc_operator.certificates import Certificates
from grpc_operator.errors import ConflictError, ForbiddenError, NotFoundError
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import SECRETS, Manifest

_KEYS = {"ca": "ca.crt", "ca_key": "ca.key", "chain": "tls.crt", "key": "tls.key"}


@dataclass(frozen=True)
class Stored:
    """What the Secret holds.

    Attributes:
        certificates: ``None`` when it is empty, or lacks one of them.
        manifest: The Secret; ``None`` when there is none.
    """

    certificates: Certificates | None
    manifest: Manifest | None


class CertificateSecret:
    """Reads and writes one Secret.

    The chart creates it without content: to fill it needs no right to create Secrets, which would
    be the right to get the token of any ServiceAccount of the namespace.

    Args:
        connection: How to reach the API server.
        namespace: The operator's.
        name: Name of the Secret.
    """

    def __init__(self, connection: Connection, namespace: str, name: str) -> None:
        self._connection = connection
        self._namespace = namespace
        self._name = name

    async def load(self) -> Stored:
        """Reads it.

        Raises:
            ClusterError: It cannot be read.
        """
        try:
            secret = await self._connection.send("GET", self._path)
        except NotFoundError:
            return Stored(None, None)
        return Stored(decoded(secret.get("data") or {}), secret)

    async def store(self, certificates: Certificates, over: Stored) -> bool:
        """Writes it; returns ``False`` when somebody else did meanwhile.

        Args:
            certificates: Its new content.
            over: What ``load`` returned, which must still be what it holds.

        Raises:
            ClusterError: It cannot be written.
        """
        data = encoded(certificates)
        try:
            if over.manifest is None:
                await self._create(data)
            else:
                # The resource version inside makes the write conditional.
                body = over.manifest | {"data": data}
                await self._connection.send("PUT", self._path, body=body)
        except ConflictError:
            return False
        return True

    async def _create(self, data: dict[str, str]) -> None:
        metadata = {"namespace": self._namespace, "name": self._name}
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        body |= {"type": "Opaque", "data": data}
        try:
            await self._connection.send("POST", SECRETS.path(self._namespace), body=body)
        except ForbiddenError as error:
            raise ForbiddenError(
                f"the Secret {self._namespace}/{self._name} does not exist and may not be created;"
                f" create it without content, as helm upgrade does: {error}",
                status=error.status,
            ) from error

    @property
    def _path(self) -> str:
        return SECRETS.path(self._namespace, self._name)


def encoded(certificates: Certificates) -> dict[str, str]:
    """Returns the ``data`` of the Secret."""
    return {
        key: base64.b64encode(getattr(certificates, field)).decode() for field, key in _KEYS.items()
    }


def decoded(data: dict[str, str]) -> Certificates | None:
    """Reads ``data``; ``None`` when something is missing."""
    try:
        return Certificates(**{field: base64.b64decode(data[key]) for field, key in _KEYS.items()})
    except (KeyError, binascii.Error):
        return None
