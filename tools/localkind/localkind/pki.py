"""The certificates and kubeconfig files of a cluster's components.

The names are those that kubeadm uses, which the built-in RBAC bindings and the Node authorizer
know: https://kubernetes.io/docs/setup/best-practices/certificates/
"""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localkind.record import Cluster

_VALIDITY = timedelta(days=365)
_CLOCK_SKEW = timedelta(minutes=5)
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KUBECONFIGS = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "kube-proxy": ("system:kube-proxy", None),
    "kubelet": ("system:node:{node}", "system:nodes"),
}
"""File name of each component's credentials -> user, group."""


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def write_all(cluster: Cluster) -> None:
    """Write every key, certificate and kubeconfig into the cluster's pki directory."""
    directory = cluster.pki
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _authority("kubernetes")
    front_proxy = _authority("front-proxy")
    _write_certificate(directory / "ca", authority.key, authority.certificate)
    _write_certificate(directory / "front-proxy-ca", front_proxy.key, front_proxy.certificate)
    _serving(directory / "apiserver", authority, "kube-apiserver", _apiserver_names(cluster))
    node = [cluster.node_name, str(cluster.addresses.node), "127.0.0.1"]
    _serving(directory / "kubelet-server", authority, cluster.node_name, node)
    _client(
        directory / "kubelet-client", authority, "kube-apiserver-kubelet-client", "system:masters"
    )
    _client(directory / "front-proxy-client", front_proxy, "front-proxy-client", None)
    for name, (user, group) in KUBECONFIGS.items():
        _client(directory / name, authority, user.format(node=cluster.node_name), group)
        text = yaml.safe_dump(kubeconfig(cluster, name), sort_keys=False)
        _write_private(directory / f"{name}.kubeconfig", text.encode())
    _service_account_keys(directory)


def kubeconfig(cluster: Cluster, credentials: str = "admin") -> dict[str, object]:
    """A kubeconfig for one of KUBECONFIGS; every name in it is `kind-NAME`, as kind has it."""
    key = f"kind-{cluster.name}"
    server = {
        "certificate-authority-data": _base64(cluster.pki / "ca.crt"),
        "server": cluster.server,
    }
    user = {
        "client-certificate-data": _base64(cluster.pki / f"{credentials}.crt"),
        "client-key-data": _base64(cluster.pki / f"{credentials}.key"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": key, "cluster": server}],
        "contexts": [{"name": key, "context": {"cluster": key, "user": key}}],
        "users": [{"name": key, "user": user}],
        "current-context": key,
        "preferences": {},
    }


def _apiserver_names(cluster: Cluster) -> list[str]:
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    addresses = cluster.addresses
    return [
        *service, f"{service[-1]}.cluster.local", "localhost", cluster.node_name,
        "127.0.0.1", str(addresses.kubernetes_service), str(addresses.node),
    ]  # fmt: skip


def _authority(common_name: str) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(_key_usage(authority=True), True)
    return _Authority(key, builder.sign(key, hashes.SHA256()))


def _serving(path: Path, authority: _Authority, user: str, names: Sequence[str]) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)])
    alternatives = x509.SubjectAlternativeName([_general_name(n) for n in names])
    _leaf(
        path,
        authority,
        subject,
        [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), alternatives],
    )


def _client(path: Path, authority: _Authority, user: str, group: str | None) -> None:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    _leaf(path, authority, subject, [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])


def _leaf(
    path: Path, authority: _Authority, subject: x509.Name, extensions: Sequence[x509.ExtensionType]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(subject, authority.certificate.subject, key)
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    builder = builder.add_extension(_key_usage(authority=False), True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    for extension in (issuer, *extensions):
        builder = builder.add_extension(extension, False)
    _write_certificate(path, key, builder.sign(authority.key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - _CLOCK_SKEW
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(start + _VALIDITY)
    return builder.add_extension(identifier, False)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=not authority,
        data_encipherment=False, key_agreement=False, key_cert_sign=authority,
        crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _service_account_keys(directory: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_private(directory / "sa.key", _private_pem(key))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    (directory / "sa.pub").write_bytes(public)


def _write_certificate(path: Path, key: _PrivateKey, certificate: x509.Certificate) -> None:
    _write_private(path.with_name(f"{path.name}.key"), _private_pem(key))
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path.with_name(f"{path.name}.crt").write_bytes(pem)


def _private_pem(key: _PrivateKey) -> bytes:
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, none)


def _write_private(path: Path, content: bytes) -> None:
    with open(path, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        file.write(content)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
