"""Certificates, CAs and tokens are replaced while calls are made: no proxy and no call is lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from grpc_operator import certificates, names
from grpc_operator.certificates import Certificates, renewed
from grpc_operator.kube.certificate_secret import decoded, encoded
from grpc_operator.resources import GRPC_GATEWAYS, SECRETS, Key, gateway_key
from grpc_service_kit.testing.postgres import free_port
from tests.integration.conftest import Start
from tests.integration.credentials import Credentials
from tests.integration.data_plane import Client, host_address, user_service, wait_status
from tests.integration.data_plane import Proxy as Envoy
from tests.integration.identity import pod_of, proxy_token, trusted
from tests.integration.operator_process import OperatorProcess
from tests.integration.policies import Policies
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import wait_until
from tests.xds_access import HOST

pytestmark = pytest.mark.cluster

PATH = "/v1/users"
SECRET = "grpc-operator-xds"


@dataclass
class World:
    """An operator, one Envoy and a service that is called all the time."""

    space: Space
    calls: Proxy
    start: Start
    operator: OperatorProcess
    xds_port: int
    gateway: Key
    envoy: Envoy

    def shared(self) -> Certificates:
        """Returns what the Secret has."""
        found = decoded(self.space.get(SECRETS, SECRET)["data"])
        assert found is not None
        return found

    def share(self, changed: Certificates) -> None:
        """Changes the Secret, as time or somebody would."""
        self.space.edit(SECRETS, SECRET, {"data": encoded(changed)})

    def restart(self) -> None:
        """Starts another operator, to which the proxy has to connect: another handshake."""
        self.operator.stop()
        self.operator = self.start(self.calls, xds_port=self.xds_port)
        self.operator.wait_lease()

    def wait_connected(self) -> None:
        """Waits until the proxy is back."""
        name = "grpc_operator_xds_proxies"
        wait_until(lambda: self.operator.metric(name) == 1, "the proxy is connected")

    def wait_published(self, ca: bytes) -> None:
        """Waits until the ConfigMap has these CAs, and plays the kubelet."""
        api = self.space.api
        wait_until(lambda: trusted(api, self.gateway) == ca, "the CAs are published")
        self.envoy.access.use(f"{names.XDS_CA}.crt", ca)


@pytest.fixture
def world(
    space: Space, start: Start, proxy: Proxy, credentials: Credentials, tmp_path: Path
) -> Iterator[tuple[World, Client]]:
    """Everything is served."""
    space.kubelet.pod_ip = host_address(credentials.server)
    admission = Policies(space.api, space.name)
    admission.publish_pods_without_a_node()
    while (port := free_port()) > 50000:
        pass
    xds_port = free_port()
    operator = start(proxy, xds_port=xds_port)
    operator.wait_lease()
    space.gateway(listeners=[{"name": "http", "port": port}])
    gateway = gateway_key(space.name, "default")
    pod = pod_of(space.api, gateway)
    envoy = Envoy(xds_port, space.api, gateway, pod)
    with user_service(tmp_path) as service_port:
        space.apply(replicas=1, port=service_port, gateway={"hostnames": ["*"]})
        client = Client(port)
        wait_status(client, 200, PATH)
        space.wait_condition("Ready", "True", "default", resource=GRPC_GATEWAYS)
        yield World(space, proxy, start, operator, xds_port, gateway, envoy), client
    admission.close()
    envoy.stop()


def test_everything_is_replaced_under_load(world: tuple[World, Client]) -> None:
    """The server's certificate, then its CA, then the old CA is withdrawn, then the token."""
    here, client = world
    failed: list[object] = []
    made, done = [0], Event()

    def call() -> None:
        while not done.is_set():
            answer = client.rest("GET", PATH)
            made[0] += 1
            if answer.status != 200:
                failed.append(answer)

    load = Thread(target=call)
    load.start()
    try:
        first = here.shared()
        _certificate(here)
        second = _ca(here, first)
        _withdrawn_ca(here, second)
        _token(here)
    finally:
        done.set()
        load.join()
    assert failed == []
    assert made[0] > 100


def _certificate(here: World) -> None:
    """Another one is due: the proxy trusts it without anything being published."""
    before = here.shared()
    due = datetime.now(UTC) - certificates.LIFETIME + certificates.RENEWED_BEFORE
    old = renewed(Certificates(before.ca, before.ca_key, *_other(before)), HOST, due)
    here.share(Certificates(before.ca, before.ca_key, old.chain, old.key))
    here.restart()
    here.wait_connected()
    after = here.shared()
    assert after.ca == before.ca
    assert after.chain not in {before.chain, old.chain}


def _ca(here: World, first: Certificates) -> Certificates:
    """A new CA that has been published for long enough signs from now on."""
    made = renewed(None, HOST, datetime.now(UTC) - certificates.OVERLAP - timedelta(days=1))
    current = here.shared()
    here.share(Certificates(current.ca + made.ca, made.ca_key, current.chain, current.key))
    here.restart()
    here.wait_published(first.ca + made.ca)
    here.wait_connected()
    after = here.shared()
    assert _issuer(after) == x509.load_pem_x509_certificate(made.ca).subject
    return after


def _withdrawn_ca(here: World, current: Certificates) -> None:
    """The old CA ends; the proxy connects with what is left."""
    newest = x509.load_pem_x509_certificates(current.ca)[-1]
    ca = newest.public_bytes(serialization.Encoding.PEM)
    here.share(Certificates(ca, current.ca_key, current.chain, current.key))
    here.restart()
    here.wait_published(ca)
    here.wait_connected()


def _token(here: World) -> None:
    """The kubelet replaces the file: Envoy presents what is in it, for better or worse."""
    access = here.envoy.access
    access.use(names.XDS_TOKEN_FILE, b"worthless")
    here.restart()
    wait_until(
        lambda: (
            here.envoy.stats("cluster.xds.upstream_rq_total")
            and here.operator.metric("grpc_operator_xds_proxies") == 0
        ),
        "the proxy is not known",
    )
    pod = pod_of(here.space.api, here.gateway)
    access.use(names.XDS_TOKEN_FILE, proxy_token(here.space.api, here.gateway, pod).encode())
    here.wait_connected()


def _issuer(shown: Certificates) -> x509.Name:
    return x509.load_pem_x509_certificate(shown.chain).issuer


def _other(before: Certificates) -> tuple[bytes, bytes]:
    """Returns the certificate of another host, which is always due."""
    other = renewed(before, "other", datetime.now(UTC))
    return other.chain, other.key
