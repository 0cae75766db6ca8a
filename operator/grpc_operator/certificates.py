"""The certificates of the xDS server: which exist, and when each is replaced. No clock, no I/O.

One certificate authority (CA) signs the certificate that all replicas show. A new CA is trusted by
the proxies long before anything is signed by it, and the old one as long as it is valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFETIME = timedelta(days=365)
CA_RENEWED_BEFORE = timedelta(days=120)
"""Time before its end at which a CA gets a successor; longer than ``LIFETIME``, so that no
certificate outlives its CA."""
OVERLAP = timedelta(days=7)
"""Time for which a new CA is only published. Proxies get it within minutes; those of a GrpcGateway
whose spec is invalid when somebody fixes it."""
LIFETIME = timedelta(days=90)
RENEWED_BEFORE = timedelta(days=30)
"""Time before its end at which the server's certificate is replaced."""

_SKEW = timedelta(minutes=5)
"""Certificates are valid from this long before they are made: clocks differ."""


@dataclass(frozen=True)
class Certificates:
    """PEM.

    Attributes:
        ca: The CAs that proxies trust; the newest is the last.
        ca_key: Private key of the newest; empty when somebody else signs.
        chain: The server's certificate, followed by intermediate ones.
        key: Its private key.
    """

    ca: bytes
    ca_key: bytes
    chain: bytes
    key: bytes


def renewed(current: Certificates | None, host: str, now: datetime) -> Certificates:
    """Returns what is to be used now; ``current`` itself while nothing is due.

    Args:
        current: What is in use; ``None`` or what cannot be read is replaced.
        host: DNS name at which proxies reach the server.
        now: With a time zone.
    """
    cas = _valid(current, now)
    if current is None or not cas:
        ca, ca_key = _ca(now)
        return Certificates(ca, ca_key, *_signed(ca, ca_key, host, now))
    ca_key, chain, key = current.ca_key, current.chain, current.key
    newest = cas[-1]
    published = len(cas) == 1 or now - _made(newest) >= OVERLAP
    if _is_due(chain, newest, host, now) and (published or _ended(chain, now)):
        chain, key = _signed(_pem(newest), ca_key, host, now)
    if newest.not_valid_after_utc - now < CA_RENEWED_BEFORE:
        added, ca_key = _ca(now)
        cas.append(x509.load_pem_x509_certificate(added))
    made = Certificates(b"".join(_pem(each) for each in cas), ca_key, chain, key)
    return current if made == current else made


def _valid(current: Certificates | None, now: datetime) -> list[x509.Certificate]:
    """Returns the CAs that have not expired; none when what there is cannot be used."""
    if current is None:
        return []
    try:
        cas = x509.load_pem_x509_certificates(current.ca)
        key = serialization.load_pem_private_key(current.ca_key, None)
        x509.load_pem_x509_certificate(current.chain)
    except (ValueError, TypeError):
        return []
    if key.public_key() != cas[-1].public_key():
        return []
    return [each for each in cas if each.not_valid_after_utc > now]


def _is_due(chain: bytes, ca: x509.Certificate, host: str, now: datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.issuer != ca.subject
        or certificate.not_valid_after_utc - now < RENEWED_BEFORE
        or names.get_values_for_type(x509.DNSName) != [host]
    )


def _ended(chain: bytes, now: datetime) -> bool:
    return x509.load_pem_x509_certificate(chain).not_valid_after_utc <= now


def _made(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_before_utc + _SKEW


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _ca(now: datetime) -> tuple[bytes, bytes]:
    # The serial number makes the name unique: Envoy finds the issuer among several by its name.
    serial = x509.random_serial_number()
    subject = _name(f"grpc-operator xDS CA {serial:x}"[:64])
    key = ec.generate_private_key(ec.SECP256R1())
    usage = _usage(key_cert_sign=True, crl_sign=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    extensions = (x509.BasicConstraints(ca=True, path_length=0), usage, identifier)
    builder = _builder(subject, subject, key, (now, CA_LIFETIME), extensions)
    return _pem(builder.serial_number(serial).sign(key, hashes.SHA256())), _private(key)


def _signed(ca: bytes, ca_key: bytes, host: str, now: datetime) -> tuple[bytes, bytes]:
    """Returns certificate and key of the server."""
    issuer = x509.load_pem_x509_certificate(ca)
    signer = serialization.load_pem_private_key(ca_key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101 - made by _ca
    key = ec.generate_private_key(ec.SECP256R1())
    extensions = (
        x509.BasicConstraints(ca=False, path_length=None),
        _usage(digital_signature=True),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.SubjectAlternativeName([x509.DNSName(host)]),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
    )
    subject = _name("grpc-operator xDS")
    builder = _builder(subject, issuer.subject, key, (now, LIFETIME), extensions)
    builder = builder.serial_number(x509.random_serial_number())
    return _pem(builder.sign(signer, hashes.SHA256())), _private(key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    validity: tuple[datetime, timedelta],
    extensions: Sequence[x509.ExtensionType],
) -> x509.CertificateBuilder:
    now, lifetime = validity
    builder = x509.CertificateBuilder(issuer, subject, key.public_key())
    builder = builder.not_valid_before(now - _SKEW).not_valid_after(now + lifetime)
    for extension in extensions:
        critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(**granted: bool) -> x509.KeyUsage:
    fields = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{field: granted.get(field, False) for field in fields})


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def check(certificates: Certificates) -> None:
    """Checks what somebody else made.

    Raises:
        ValueError: It is not PEM, or the key is not that of the certificate.
    """
    chain = x509.load_pem_x509_certificates(certificates.chain)
    key = serialization.load_pem_private_key(certificates.key, None)
    if key.public_key() != chain[0].public_key():
        raise ValueError("tls.key is not the key of tls.crt")
    x509.load_pem_x509_certificates(certificates.ca)
