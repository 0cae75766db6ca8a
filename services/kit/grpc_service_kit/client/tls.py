"""ClientTls: the files of an encrypted channel, checked before gRPC reads them.

`renewal.py` reads them again when they have changed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc

from grpc_service_kit.client.errors import ClientConfigError
from grpc_service_kit.environment import Environment


@dataclass(frozen=True, kw_only=True)
class ClientTls:
    """PEM files. Without any, the server is verified with the roots that gRPC brings along."""

    ca_file: str | Path | None = None
    """The certificates that may have signed the server's."""
    certificate_file: str | Path | None = None
    """The client's own certificate, for servers that ask for one (mTLS); with `key_file`."""
    key_file: str | Path | None = None
    """Its private key, without a passphrase."""
    server_name: str | None = None
    """The name in the server's certificate, when it is not the host of the target."""

    @classmethod
    def read(cls, environment: Environment, prefix: str = "") -> Self | None:
        """Read the variables that begin with `prefix`; None without any of them.

        PREFIX + GRPC_TLS is `on` for TLS with the roots that gRPC brings along; GRPC_TLS_CA_FILE,
        GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE and GRPC_TLS_SERVER_NAME are the fields, and each
        turns TLS on. `environment.check()` reports the problems.
        """
        start = f"{prefix}GRPC_TLS"
        wanted = environment.switch(start, default=False)
        ca, certificate, key = (
            environment.file(f"{start}_{name}_FILE") for name in ("CA", "CERT", "KEY")
        )
        name = environment.text(f"{start}_SERVER_NAME")
        if bool(certificate) != bool(key):
            missing = "KEY" if certificate else "CERT"
            environment.fail(
                f"{start}_{missing}_FILE", "is not set; certificate and key belong together"
            )
        if not (wanted or ca or certificate or key or name):
            return None
        return cls(
            ca_file=ca or None,
            certificate_file=certificate or None,
            key_file=key or None,
            server_name=name or None,
        )

    @property
    def files(self) -> list[Path]:
        """The files that there are."""
        every = (self.ca_file, self.certificate_file, self.key_file)
        return [Path(file) for file in every if file is not None]

    def credentials(self) -> grpc.ChannelCredentials:
        """Return gRPC's credentials; raise ClientConfigError that names the wrong file."""
        if (self.certificate_file is None) != (self.key_file is None):
            raise ClientConfigError("tls: certificate_file and key_file belong together; set both")
        ca = _read("tls.ca_file", self.ca_file)
        certificate = _read("tls.certificate_file", self.certificate_file)
        key = _read("tls.key_file", self.key_file)
        self._check()
        return grpc.ssl_channel_credentials(ca, key, certificate)

    def _check(self) -> None:
        """Ask OpenSSL: gRPC would only log what is wrong when it connects."""
        import ssl  # noqa: PLC0415 a client without TLS does not pay for it

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self.ca_file is not None:
                context.load_verify_locations(self.ca_file)
        except ssl.SSLError as error:
            raise ClientConfigError(
                f"tls.ca_file: {self.ca_file}: no PEM certificates in it: {_reason(error)}"
            ) from error
        try:
            if self.certificate_file is not None:
                # An empty passphrase: OpenSSL must not ask for one on the terminal.
                context.load_cert_chain(self.certificate_file, self.key_file, password="")
        except ssl.SSLError as error:
            raise ClientConfigError(
                f"tls.certificate_file, tls.key_file: {self.certificate_file} and {self.key_file} "
                f"are not a PEM certificate and its key without passphrase: {_reason(error)}"
            ) from error


def _reason(error: OSError) -> str:
    return str(error.args[-1])


def _read(name: str, file: str | Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ClientConfigError(f"{name}: {file}: cannot be read: {error.strerror}") from error
