"""TLS and mTLS with real certificates, and what is said about wrong files."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grpc_service_kit import ConfigError, Environment
from grpc_service_kit.client import (
    ClientConfigError,
    ClientOptions,
    ClientTls,
    connect,
    renewal,
)
from kit_client_servers import Echo, begin_stream, serving, unary_unary

_PKCS8 = serialization.PrivateFormat.PKCS8


@dataclass
class Pair:
    """A certificate and its key as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates into a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test ca")])
        certificate = self._builder("test ca", self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file = directory / "ca.crt"
        self.file.write_bytes(
            certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def issue(self, name: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "loopback":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            self._builder(name, key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pair = Pair(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(_pem(key, serialization.NoEncryption()))
        return pair

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
        )


def _pem(key: ec.EllipticCurvePrivateKey, encryption: Any) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, _PKCS8, encryption)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _server(authority: Authority, pair: Pair, *, mutual: bool) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(pair.key.read_bytes(), pair.certificate.read_bytes())],
        authority.file.read_bytes(),
        require_client_auth=mutual,
    )


async def test_the_host_of_the_target_is_verified(authority: Authority) -> None:
    credentials = _server(authority, authority.issue("loopback"), mutual=False)
    async with serving(Echo("a"), credentials=credentials) as a:
        options = ClientOptions(tls=ClientTls(ca_file=authority.file))
        async with connect(f"127.0.0.1:{a.port}", options) as channel:
            assert await unary_unary(channel) == [b"a:1"]


async def test_a_server_with_another_name_is_refused_unless_it_is_expected(
    authority: Authority,
) -> None:
    credentials = _server(authority, authority.issue("users.test"), mutual=False)
    async with serving(Echo("a"), credentials=credentials) as a:
        named = ClientTls(ca_file=authority.file, server_name="users.test")
        async with connect(a.target, ClientOptions(tls=named)) as channel:
            assert await unary_unary(channel) == [b"a:1"]
        unnamed = ClientTls(ca_file=authority.file)
        async with connect(f"127.0.0.1:{a.port}", ClientOptions(tls=unnamed)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await unary_unary(channel)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(a.seen) == 1


async def test_a_server_of_another_authority_is_refused(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    credentials = _server(authority, authority.issue("loopback"), mutual=False)
    async with serving(Echo("a"), credentials=credentials) as a:
        for tls in (ClientTls(ca_file=other.file), ClientTls()):
            async with connect(f"127.0.0.1:{a.port}", ClientOptions(tls=tls)) as channel:
                with pytest.raises(grpc.aio.AioRpcError):
                    await unary_unary(channel)

    assert a.seen == []


async def test_a_server_can_ask_for_the_clients_certificate(authority: Authority) -> None:
    credentials = _server(authority, authority.issue("loopback"), mutual=True)
    client = authority.issue("orders")
    async with serving(Echo("a"), credentials=credentials) as a:
        with_one = ClientTls(
            ca_file=authority.file, certificate_file=client.certificate, key_file=client.key
        )
        async with connect(f"127.0.0.1:{a.port}", ClientOptions(tls=with_one)) as channel:
            assert await unary_unary(channel) == [b"a:1"]
        without = ClientTls(ca_file=authority.file)
        async with connect(f"127.0.0.1:{a.port}", ClientOptions(tls=without)) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await unary_unary(channel)

    assert len(a.seen) == 1


async def test_wrong_files_are_named(authority: Authority, tmp_path: Path) -> None:
    one, other = authority.issue("one"), authority.issue("other")
    secret = tmp_path / "secret.key"
    secret.write_bytes(
        _pem(
            ec.generate_private_key(ec.SECP256R1()),
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    nothing = tmp_path / "nothing.crt"
    nothing.write_text("no certificate")

    for tls, problem in (
        (ClientTls(ca_file=tmp_path / "missing"), f"tls.ca_file: {tmp_path}/missing: cannot be"),
        (ClientTls(ca_file=tmp_path), f"tls.ca_file: {tmp_path}: cannot be read: Is a directory"),
        (ClientTls(ca_file=nothing), f"tls.ca_file: {nothing}: no PEM certificates in it"),
        (ClientTls(certificate_file=one.certificate), "belong together; set both"),
        (ClientTls(key_file=one.key), "belong together; set both"),
        (
            ClientTls(certificate_file=one.certificate, key_file=other.key),
            "are not a PEM certificate and its key",
        ),
        (
            ClientTls(certificate_file=one.certificate, key_file=secret),
            "and its key without passphrase",
        ),
        (
            ClientTls(certificate_file=nothing, key_file=one.key),
            f"tls.certificate_file, tls.key_file: {nothing}",
        ),
    ):
        with pytest.raises(ClientConfigError) as caught:
            connect("users:1", ClientOptions(tls=tls))
        assert problem in str(caught.value)


async def test_new_certificates_are_used_by_the_calls_that_follow(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls that run go on; files that are no certificates leave the old ones in use."""
    monkeypatch.setattr(renewal, "_CHECK_SECONDS", 0.0)
    mutual = _server(authority, authority.issue("loopback"), mutual=True)
    client = authority.issue("orders")
    stranger = authority.issue("stranger")
    async with serving(Echo("a"), credentials=mutual) as a:
        tls = ClientTls(
            ca_file=authority.file, certificate_file=client.certificate, key_file=client.key
        )
        async with connect(f"127.0.0.1:{a.port}", ClientOptions(tls=tls)) as channel:
            assert await unary_unary(channel) == [b"a:1"]
            running = begin_stream(channel)
            await running.write(b"1")
            assert await running.read() == b"a:1"
            before = a.seen[-1].peer
            client.certificate.write_text("half written")
            assert await unary_unary(channel) == [b"a:1"]
            assert "are not replaced" in caplog.text
            assert a.seen[-1].peer == before
            client.certificate.write_bytes(stranger.certificate.read_bytes())
            client.key.write_bytes(stranger.key.read_bytes())
            assert await unary_unary(channel) == [b"a:1"]
            assert a.seen[-1].peer != before
            await running.write(b"2")
            assert await running.read() == b"a:2"
            running.cancel()


@pytest.mark.parametrize("prefix", ["", "USERS_"])
def test_tls_comes_from_variables(authority: Authority, prefix: str) -> None:
    pair = authority.issue("orders")
    start = f"{prefix}GRPC_TLS"
    variables = {
        f"{start}_CA_FILE": str(authority.file),
        f"{start}_CERT_FILE": str(pair.certificate),
        f"{start}_KEY_FILE": str(pair.key),
        f"{start}_SERVER_NAME": "users.test",
    }
    expected = ClientTls(
        ca_file=str(authority.file),
        certificate_file=str(pair.certificate),
        key_file=str(pair.key),
        server_name="users.test",
    )
    environment = Environment(variables)
    assert ClientTls.read(environment, prefix) == expected
    environment.check()
    assert ClientTls.read(Environment({}), prefix) is None
    assert ClientTls.read(Environment({start: "on"}), prefix) == ClientTls()


def test_half_a_pair_of_variables_is_reported(authority: Authority) -> None:
    environment = Environment({"GRPC_TLS_KEY_FILE": str(authority.issue("a").key)})
    ClientTls.read(environment)
    with pytest.raises(ConfigError, match="GRPC_TLS_CERT_FILE: is not set"):
        environment.check()
