"""Keeps the certificate of the xDS server valid, on every replica.

Either all replicas share a Secret that the operator fills and renews, or somebody else, such as
cert-manager, keeps files up to date.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from grpc_operator.certificates import Certificates, check, renewed
from grpc_operator.errors import ClusterError
from grpc_operator.kube.certificate_secret import CertificateSecret, Stored
from grpc_operator.kube.connection import Connection
from grpc_operator.settings import Settings
from grpc_operator.xds.tls import ServerTls

logger = logging.getLogger(__name__)

PERIOD = 10.0
"""Seconds between two reads of the Secret or of the files."""

RETRY = 1.0
"""Seconds between two attempts as long as there is no certificate."""

Load = Callable[[Certificates | None], Awaitable[Certificates]]
"""Returns what is to be used, given what is in use; raises ClusterError or OSError."""


class ServingCertificates:
    """What the xDS server shows and what proxies trust.

    Args:
        load: Where it comes from.
        changed: Called when proxies must trust other CAs.
    """

    def __init__(self, load: Load, changed: Callable[[], None]) -> None:
        self._load = load
        self._changed = changed
        self._current: Certificates | None = None
        self._tls: ServerTls | None = None
        self._ready = asyncio.Event()
        self._problem = "the xDS server has no certificate yet"

    @property
    def why_unready(self) -> str:
        """Why there is none yet, or an empty text; one that cannot be renewed is still used."""
        return "" if self._ready.is_set() else self._problem

    @property
    def ca(self) -> str:
        """The CAs that proxies and replicas trust, as PEM; only after ``wait``."""
        return self._current.ca.decode() if self._current else ""

    async def wait(self) -> ServerTls:
        """Returns the server's side of TLS, once there is a certificate."""
        await self._ready.wait()
        assert self._tls is not None  # noqa: S101 - set before the event
        return self._tls

    async def keep(self) -> None:
        """Loads and renews them until cancelled."""
        while True:
            try:
                self._use(await self._load(self._current))
            except (ClusterError, OSError, ValueError) as error:
                self._report(error)
            else:
                self._problem = ""
            await asyncio.sleep(PERIOD if self._current else RETRY)

    def _use(self, loaded: Certificates) -> None:
        before, self._current = self._current, loaded
        if loaded == before:
            return
        logger.info("Using another certificate for the xDS server")
        if self._tls is None:
            self._tls = ServerTls(loaded)
            self._ready.set()
        self._tls.replace(loaded)
        if before is not None and before.ca != loaded.ca:
            self._changed()

    def _report(self, error: Exception) -> None:
        problem = f"no certificate for the xDS server: {error}"
        if problem != self._problem:
            logger.warning("no certificate for the xDS server: %s", error)
        self._problem = problem


def source(settings: Settings, connection: Connection) -> Load:
    """Returns how to load certificates, as the settings say."""
    if settings.xds_certificate_folder:
        return from_folder(Path(settings.xds_certificate_folder))
    secret = CertificateSecret(connection, settings.lease_namespace, settings.xds_secret)
    return from_secret(secret, settings.xds_host)


def from_secret(secret: CertificateSecret, host: str) -> Load:
    """Returns how to load certificates that the operator makes.

    Args:
        secret: Where they are kept.
        host: DNS name at which proxies reach the xDS server.
    """

    async def load(current: Certificates | None) -> Certificates:
        while True:
            stored = await secret.load()
            # A Secret that was emptied by accident must not cost the proxies their trust.
            known = stored.certificates or current
            wanted = renewed(known, host, datetime.now(UTC))
            if wanted == stored.certificates or await _stored(secret, wanted, stored):
                return wanted

    return load


async def _stored(secret: CertificateSecret, wanted: Certificates, stored: Stored) -> bool:
    logger.info("Writing new certificates for the xDS server")
    return await secret.store(wanted, stored)


def from_folder(folder: Path) -> Load:
    """Returns how to load certificates that somebody else makes.

    Args:
        folder: Has ``tls.crt``, ``tls.key`` and ``ca.crt``.
    """

    async def load(_: Certificates | None) -> Certificates:
        files = (folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
        ca, chain, key = (path.read_bytes() for path in files)
        found = Certificates(ca, b"", chain, key)
        check(found)
        return found

    return load
