"""Certificates over the years: what is shown is always trusted by who read the CAs a week ago."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from grpc_operator import certificates
from grpc_operator.certificates import Certificates, check, renewed

HOST = "grpc-operator-xds.grpc-system.svc.cluster.local"
START = datetime(2026, 11, 30, tzinfo=UTC)


def verify(ca: bytes, chain: bytes, at: datetime, host: str = HOST) -> None:
    """Verifies a certificate as a client that trusts these CAs does."""
    store = Store(x509.load_pem_x509_certificates(ca))
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(host))
    verifier.verify(x509.load_pem_x509_certificate(chain), [])


def test_what_is_due_is_replaced_and_nothing_else() -> None:
    """A new certificate every 60 days, a new CA every 245, and never more than two CAs."""
    current = renewed(None, HOST, START)
    chains, cas = {current.chain}, {current.ca_key}
    for day in range(3 * 365):
        current = renewed(current, HOST, START + timedelta(days=day))
        chains.add(current.chain)
        cas.add(current.ca_key)
        assert current.ca.count(b"BEGIN") <= 2
    assert len(cas) == 1 + 3 * 365 // 245
    assert 3 * 365 // 60 <= len(chains) <= 3 * 365 // 60 + len(cas)


def test_a_proxy_that_is_a_week_behind_trusts_what_is_shown() -> None:
    """Whatever is replaced: its ConfigMap may be as old as the overlap."""
    known: list[bytes] = []
    current = renewed(None, HOST, START)
    for day in range(3 * 365):
        now = START + timedelta(days=day)
        current = renewed(current, HOST, now)
        known.append(current.ca)
        verify(known[max(0, day - certificates.OVERLAP.days + 1)], current.chain, now)


def test_nothing_is_due_the_moment_after() -> None:
    """What is in use is returned itself, so that nothing is written."""
    for day in (0, 61, 246):
        now = START + timedelta(days=day)
        current = renewed(renewed(None, HOST, START), HOST, now)
        assert renewed(current, HOST, now + timedelta(seconds=10)) is current


@pytest.mark.parametrize("days", [89, 91, 250, 364])
def test_an_operator_that_was_away_shows_what_its_proxies_trust(days: int) -> None:
    """As long as their CA is valid; the next one is made at the same time if it is due."""
    before = renewed(None, HOST, START)
    now = START + timedelta(days=days)
    current = renewed(before, HOST, now)

    verify(before.ca, current.chain, now)
    assert current.ca.startswith(before.ca)


def test_an_expired_ca_is_replaced_at_once() -> None:
    """Nobody can trust it any more, so there is nothing to wait for."""
    before = renewed(None, HOST, START)
    now = START + timedelta(days=366)
    current = renewed(before, HOST, now)

    verify(current.ca, current.chain, now)
    assert before.ca not in current.ca


def test_another_host_gets_another_certificate_of_the_same_ca() -> None:
    """The release or the cluster's domain was renamed."""
    before = renewed(None, HOST, START)
    current = renewed(before, "other", START)

    assert current.ca == before.ca
    verify(before.ca, current.chain, START, "other")
    with pytest.raises(VerificationError):
        verify(before.ca, current.chain, START)


@pytest.mark.parametrize("field", ["ca", "ca_key", "chain"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\n"])
def test_what_cannot_be_read_is_replaced(field: str, content: bytes) -> None:
    """Somebody has edited the Secret; a key of another CA is no better."""
    before = renewed(None, HOST, START)
    other = renewed(None, HOST, START)
    parts = {"ca": before.ca, "ca_key": before.ca_key, "chain": before.chain, "key": before.key}
    for wrong in (content, other.ca_key if field == "ca_key" else content):
        current = renewed(Certificates(**parts | {field: wrong}), HOST, START)
        verify(current.ca, current.chain, START)


def test_a_key_of_another_certificate_is_refused() -> None:
    """Files of somebody else, of which one is not updated yet."""
    one, other = renewed(None, HOST, START), renewed(None, HOST, START)
    check(one)
    with pytest.raises(ValueError, match=r"tls.key is not the key of tls.crt"):
        check(Certificates(one.ca, b"", one.chain, other.key))
