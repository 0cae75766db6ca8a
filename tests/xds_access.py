"""How proxies of tests reach an xDS server: its certificate, their token, what Envoy needs of both.

Where there is no API server to review tokens, a test says who they belong to. What Envoy is
configured with is always the operator's own bootstrap.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import yaml

from grpc_operator import names
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.certificates import Certificates, renewed
from grpc_operator.desired.gateway import GatewaySettings, bootstrap
from grpc_operator.resources import gateway_key
from grpc_operator.xds.authentication import Identity, UnauthenticatedError
from grpc_operator.xds.tls import ServerTls

HOST = "localhost"
"""The DNS name in the certificate of every xDS server of a test."""

_LIFETIME = 3600.0


@cache
def certificates() -> Certificates:
    """Returns those of every xDS server that a test starts by itself."""
    return renewed(None, HOST, datetime.now(UTC))


def tls() -> ServerTls:
    """Returns a server's side of TLS."""
    return ServerTls(certificates())


def token(gateway: str, node: str) -> str:
    """Returns a token that ``Named`` takes for that of a pod.

    Args:
        gateway: ``NAMESPACE/NAME``.
        node: Name of the pod.
    """
    return f"{gateway}/{node}"


@dataclass
class Named:
    """An authenticator for tests without an API server: a token names its proxy.

    Attributes:
        lifetime: Seconds until a token expires.
        gone: Pods that no longer exist.
        revoked: Tokens that are no longer valid.
        accepted: Those of which the proxies were accepted, in order.
    """

    lifetime: float = _LIFETIME
    gone: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    accepted: list[str] = field(default_factory=list)

    async def authenticate(self, token: str, _: str) -> Identity:
        """Returns the proxy that the token names."""
        namespace, gateway, node = (*token.split("/"), "", "", "")[:3]
        identity = Identity(gateway_key(namespace, gateway), node, "", time.time() + self.lifetime)
        if not node or token in self.revoked or not self.is_valid(identity):
            raise UnauthenticatedError(token)
        self.accepted.append(token)
        return identity

    def is_valid(self, identity: Identity) -> bool:
        """Returns whether the pod still exists."""
        return identity.node not in self.gone


def channel(port: int, **options: Any) -> grpc.aio.Channel:
    """Returns a connection to an xDS server on loopback that trusts ``certificates``."""
    credentials = grpc.ssl_channel_credentials(certificates().ca)
    named = [("grpc.ssl_target_name_override", HOST), *options.items()]
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, named)


def metadata(token: str) -> list[tuple[str, str]]:
    """Returns the metadata of a call with a token."""
    return [("authorization", f"Bearer {token}")]


@dataclass(frozen=True)
class Access:
    """The files of a proxy's pod that say whom it trusts and who it is.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    @classmethod
    def write(cls, folder: Path, ca: bytes, token: str) -> "Access":
        """Makes the files; ``use`` changes one later."""
        made = cls(folder)
        for name, text in bootstrap.files(_spec(), _settings()).items():
            if name.startswith("xds-"):
                (folder / name).write_text(made.moved(text))
        made.use(f"{names.XDS_CA}.crt", ca)
        made.use(names.XDS_TOKEN_FILE, token.encode())
        return made

    def use(self, name: str, content: bytes) -> None:
        """Replaces a file at once, as the kubelet does."""
        new = self.folder / f"{name}.new"
        new.write_bytes(content)
        new.replace(self.folder / name)

    def cluster(self, port: int) -> dict[str, Any]:
        """Returns the cluster ``xds`` of the operator's bootstrap, with the server on loopback."""
        config = self._bootstrap(_spec())
        (cluster,) = (c for c in config["static_resources"]["clusters"] if c["name"] == "xds")
        del cluster["cluster_type"]
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        address = {"address": "127.0.0.1", "port_value": port}
        endpoint["endpoint"]["address"]["socket_address"] = address
        return dict(cluster) | {"type": "STATIC"}

    def bootstrap(
        self, spec: GrpcGatewaySpec, port: int, node: str, gateway: str
    ) -> dict[str, Any]:
        """Returns the operator's bootstrap for loopback, without ``admin``.

        Args:
            spec: The gateway's.
            port: Of the xDS server.
            node: Name of the pod.
            gateway: ``NAMESPACE/NAME``.
        """
        config = self._bootstrap(spec)
        config["node"] = {"id": node, "cluster": gateway}
        static = config["static_resources"]
        others = [cluster for cluster in static["clusters"] if cluster["name"] != "xds"]
        static["clusters"] = [self.cluster(port), *others]
        for listener in static["listeners"]:
            listener["address"]["socket_address"] |= {"address": "127.0.0.1", "port_value": 0}
        del config["admin"]
        return config

    def _bootstrap(self, spec: GrpcGatewaySpec) -> dict[str, Any]:
        text = self.moved(bootstrap.bootstrap(spec, _settings()))
        return dict(yaml.load(text, yaml.CSafeLoader))

    def moved(self, text: str) -> str:
        """Returns a file of the operator's with these paths."""
        for folder in (names.bootstrap_folder(), names.xds_token_folder()):
            text = text.replace(folder, str(self.folder))
        return text


_METADATA = {"name": "default", "namespace": "edge", "uid": "u-1", "generation": 1}


def _spec() -> GrpcGatewaySpec:
    return GrpcGateway.parse({"metadata": _METADATA, "spec": {}}).spec


def _settings() -> GatewaySettings:
    return GatewaySettings("", None, HOST, 1, "")
