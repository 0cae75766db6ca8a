"""TLS: certificates that are read again when their files change.

Kubernetes replaces the files of a Secret at once for all of them. gRPC asks for the certificates
at every handshake, so a renewed one is used by the next connection, without a restart.
"""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc

from grpc_service_kit.environment import Environment

_NEEDED = {"TLS_CERT_FILE", "TLS_KEY_FILE"}
_VARIABLES = _NEEDED | {"TLS_CLIENT_CA_FILE"}

logger = logging.getLogger(__name__)


class CertificateError(Exception):
    """The certificate files cannot be used; the text names the variable and the file."""


@dataclass(frozen=True, kw_only=True)
class TlsConfig:
    """PEM files. With a client CA only clients with a certificate of it may call (mTLS)."""

    cert_file: str
    """TLS_CERT_FILE: certificate of the server, then those of its issuers."""
    key_file: str
    """TLS_KEY_FILE: private key of the server, without a passphrase."""
    client_ca_file: str = ""
    """TLS_CLIENT_CA_FILE: certificates that may have signed those of clients."""

    @classmethod
    def read(cls, environment: Environment) -> Self | None:
        """Read the variables; None when there are none."""
        cert, key = environment.file("TLS_CERT_FILE"), environment.file("TLS_KEY_FILE")
        client_ca = environment.file("TLS_CLIENT_CA_FILE")
        given = {name for name in _VARIABLES if environment.text(name)}
        if given:
            for name in sorted(_NEEDED - given):
                environment.fail(name, "is not set; TLS needs a certificate and its key")
        return cls(cert_file=cert, key_file=key, client_ca_file=client_ca) if cert and key else None


def server_credentials(config: TlsConfig) -> grpc.ServerCredentials:
    """Return credentials that follow the files; raise CertificateError when they are no good."""
    files = _Files(config)
    # Its types do not know that None stands for: no change.
    changed: Any = files.changed
    credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        files.read(),
        changed,
        require_client_authentication=bool(config.client_ca_file),
    )
    return credentials


class _Files:
    """The certificate files, and what they held when they were last good."""

    def __init__(self, config: TlsConfig) -> None:
        self._config = config
        self._seen: tuple[bytes, ...] = ()

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Return what the files hold; raise CertificateError."""
        self._seen = contents = self._contents()
        self._check()
        certificate, key, *ca = contents
        return grpc.ssl_server_certificate_configuration(
            [(key, certificate)], root_certificates=ca[0] if ca else None
        )

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the new certificates, or None to go on with the old ones."""
        try:
            if self._contents() == self._seen:
                return None
            configuration = self.read()
        except CertificateError as error:
            # Logged once for each content: the files may be half written.
            logger.warning("the certificates are not replaced: %s", error)
            return None
        logger.info("the certificates are replaced")
        return configuration

    def _contents(self) -> tuple[bytes, ...]:
        config = self._config
        paths = (config.cert_file, config.key_file, config.client_ca_file)
        try:
            return tuple(Path(path).read_bytes() for path in paths if path)
        except OSError as error:
            raise CertificateError(f"TLS_*_FILE: {error}") from error

    def _check(self) -> None:
        """Ask OpenSSL: gRPC would say nothing and refuse every connection."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # An empty passphrase: OpenSSL must not ask for one on the terminal.
            context.load_cert_chain(self._config.cert_file, self._config.key_file, password="")
        except (ssl.SSLError, OSError) as error:
            raise CertificateError(
                f"TLS_CERT_FILE, TLS_KEY_FILE: {self._config.cert_file} and"
                f" {self._config.key_file} are no PEM certificate and its key without passphrase:"
                f" {error}"
            ) from error
        try:
            if self._config.client_ca_file:
                context.load_verify_locations(self._config.client_ca_file)
        except (ssl.SSLError, OSError) as error:
            raise CertificateError(
                f"TLS_CLIENT_CA_FILE: {self._config.client_ca_file} holds no PEM certificates:"
                f" {error}"
            ) from error
