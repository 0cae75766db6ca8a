"""What a kubeconfig of kind or localkind says: server address, its CA, a client certificate."""

import base64
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Credentials:
    """How to reach an API server.

    Attributes:
        server: URL, such as ``https://198.18.0.2:6443``.
        tls: Trusts the server's CA and shows the client certificate.
    """

    server: str
    tls: ssl.SSLContext

    @classmethod
    def of(cls, kubeconfig: Path) -> "Credentials":
        """Reads the first cluster and user of a kubeconfig."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        tls = ssl.create_default_context(cadata=ca)
        with tempfile.NamedTemporaryFile() as pem:  # ssl takes client certificates from files only
            pem.write(base64.b64decode(user["client-certificate-data"]) + b"\n")
            pem.write(base64.b64decode(user["client-key-data"]))
            pem.flush()
            tls.load_cert_chain(pem.name)
        return cls(cluster["server"], tls)
