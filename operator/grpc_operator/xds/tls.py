"""The certificate that the xDS server shows; a new one is used from the next connection on."""

import threading

import grpc

from grpc_operator.certificates import Certificates


class ServerTls:
    """Holds what is in use now."""

    def __init__(self, certificates: Certificates) -> None:
        self._lock = threading.Lock()
        self._current = certificates
        self._shown = certificates

    def replace(self, certificates: Certificates) -> None:
        """Uses others from now on; open connections stay."""
        with self._lock:
            self._current = certificates

    def credentials(self) -> grpc.ServerCredentials:
        """Returns the server's side of TLS."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._current),
            self._changed,  # type: ignore[arg-type]  # the stub lacks None, which is documented
        )

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC's threads before each handshake; ``None``: as before."""
        with self._lock:
            if self._shown == self._current:
                return None
            self._shown = self._current
            return _configuration(self._current)


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(certificates.key, certificates.chain)])
