"""TLS and mutual TLS, with certificates that are replaced while the server runs."""

import datetime as dt
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from grpc_service_kit import ConfigError, Environment, Server
from grpc_service_kit.tls import CertificateError, TlsConfig, server_credentials
from kit_servers import KINDS, EchoServicer, ask, config, failure, serving


class Authority:
    """Signs certificates for localhost."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.pem = self._sign(self._name, self._key, ca=True)

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """Return a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(encoding, form, serialization.NoEncryption())
        return self._sign(subject, key, ca=False), secret

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


class Files:
    """The files of a server, as a Secret would mount them."""

    def __init__(self, directory: Path) -> None:
        self.cert, self.key = directory / "tls.crt", directory / "tls.key"
        self.client_ca = directory / "ca.crt"

    def write(self, pair: tuple[bytes, bytes]) -> None:
        """Replace certificate and key."""
        self.cert.write_bytes(pair[0])
        self.key.write_bytes(pair[1])

    def config(self, *, mutual: bool = False) -> TlsConfig:
        """Return the configuration that names them."""
        client_ca = str(self.client_ca) if mutual else ""
        return TlsConfig(cert_file=str(self.cert), key_file=str(self.key), client_ca_file=client_ca)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("first")


@pytest.fixture(scope="module")
def other() -> Authority:
    return Authority("second")


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> Files:
    files = Files(tmp_path)
    files.write(authority.issue("server"))
    files.client_ca.write_bytes(authority.pem)
    return files


@asynccontextmanager
async def trusting(
    server: Server, authority: Authority, pair: tuple[bytes, bytes] | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    """Connect anew, trusting an authority, perhaps with a certificate of one's own."""
    cert, key = pair or (None, None)
    credentials = grpc.ssl_channel_credentials(authority.pem, key, cert)
    options = [("grpc.use_local_subchannel_pool", 1)]
    target = f"localhost:{server.port}"
    async with grpc.aio.secure_channel(target, credentials, options) as channel:
        yield channel


@pytest.mark.parametrize("kind", KINDS)
async def test_calls_are_encrypted(kind: str, files: Files, authority: Authority) -> None:
    async with serving(EchoServicer(), config(tls=files.config())) as server:
        async with trusting(server, authority) as channel:
            assert set(await ask(channel, kind)) == {"x"}
        async with grpc.aio.insecure_channel(f"localhost:{server.port}") as channel:
            assert (await failure(channel, kind)).code() is grpc.StatusCode.UNAVAILABLE


async def test_a_client_without_a_certificate_of_the_right_authority_is_refused(
    files: Files, authority: Authority, other: Authority
) -> None:
    async with serving(EchoServicer(), config(tls=files.config(mutual=True))) as server:
        async with trusting(server, authority, authority.issue("client")) as channel:
            assert await ask(channel, "UnaryUnary") == ["x"]
        for pair in (None, other.issue("client")):
            async with trusting(server, authority, pair) as channel:
                caught = await failure(channel, "UnaryUnary")
                assert caught.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_new_certificate_is_used_by_the_next_connection(
    files: Files, authority: Authority, other: Authority
) -> None:
    async with (
        serving(EchoServicer(), config(tls=files.config())) as server,
        trusting(server, authority) as old,
    ):
        assert await ask(old, "UnaryUnary") == ["x"]
        files.write(other.issue("server"))
        async with trusting(server, other) as channel:
            assert await ask(channel, "UnaryUnary") == ["x"]
        async with trusting(server, authority) as channel:
            assert (await failure(channel, "UnaryUnary")).code() is UNAVAILABLE
        assert await ask(old, "UnaryUnary") == ["x"]  # Connections that are open stay so.


async def test_a_new_client_authority_is_used_by_the_next_connection(
    files: Files, authority: Authority, other: Authority
) -> None:
    async with serving(EchoServicer(), config(tls=files.config(mutual=True))) as server:
        files.client_ca.write_bytes(other.pem)
        async with trusting(server, authority, other.issue("client")) as channel:
            assert await ask(channel, "UnaryUnary") == ["x"]
        async with trusting(server, authority, authority.issue("client")) as channel:
            assert (await failure(channel, "UnaryUnary")).code() is UNAVAILABLE


UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("broken", ["half written", "wrong key", "gone"])
async def test_files_that_are_no_good_leave_the_old_certificate_in_use(
    broken: str,
    files: Files,
    authority: Authority,
    other: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "grpc_service_kit")
    async with serving(EchoServicer(), config(tls=files.config())) as server:
        new = other.issue("server")
        if broken == "half written":
            files.cert.write_bytes(new[0][:100])
        elif broken == "wrong key":
            files.cert.write_bytes(new[0])
        else:
            files.cert.unlink()
        for _ in range(2):
            async with trusting(server, authority) as channel:
                assert await ask(channel, "UnaryUnary") == ["x"]
        files.write(new)
        async with trusting(server, other) as channel:
            assert await ask(channel, "UnaryUnary") == ["x"]

    assert "the certificates are not replaced" in caplog.text
    assert "the certificates are replaced" in caplog.text
    assert "PRIVATE KEY" not in caplog.text


@pytest.mark.parametrize("name", ["cert", "key", "client_ca"])
def test_a_start_with_files_that_are_no_good_says_which(name: str, files: Files) -> None:
    path: Path = getattr(files, name)
    path.write_text("rubbish")
    with pytest.raises(CertificateError, match=str(path)):
        server_credentials(files.config(mutual=True))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TLS_CERT_FILE": __file__}, ["TLS_KEY_FILE"]),
        ({"TLS_KEY_FILE": __file__}, ["TLS_CERT_FILE"]),
        ({"TLS_CLIENT_CA_FILE": __file__}, ["TLS_CERT_FILE", "TLS_KEY_FILE"]),
        ({"TLS_CERT_FILE": "/nowhere", "TLS_KEY_FILE": __file__}, ["TLS_CERT_FILE"]),
    ],
)
def test_half_a_configuration_is_reported(variables: dict[str, str], named: list[str]) -> None:
    environment = Environment(variables)
    TlsConfig.read(environment)
    with pytest.raises(ConfigError) as caught:
        environment.check()

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == named
