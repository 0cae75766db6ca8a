"""The bootstrap: well-formed whatever the values are, and accepted by the real Envoy."""

import json
import socket
import ssl
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from grpc_operator import names
from grpc_operator.desired.gateway import GatewaySettings, bootstrap
from grpc_service_kit.testing.postgres import free_port
from tests.unit.desired.gateway import SETTINGS, gateway
from tests.unit.desired.gateway.envoy_process import ENVOY, running
from tests.waiting import HANG, wait_until
from tests.xds_access import Access, certificates

_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def parsed(given_settings: GatewaySettings = SETTINGS) -> dict[str, Any]:
    """Reads the bootstrap back; by libyaml, which is ten times as fast."""
    text = bootstrap.bootstrap(gateway().spec, given_settings)
    return dict(yaml.load(text, yaml.CSafeLoader))


def without_xds() -> dict[str, Any]:
    """Returns the bootstrap for a proxy that asks nobody for configuration."""
    config = parsed()
    del config["dynamic_resources"]
    del config["cluster_manager"]
    clusters = config["static_resources"]["clusters"]
    config["static_resources"]["clusters"] = [c for c in clusters if c["name"] != "xds"]
    return config


def xds_address(config: dict[str, Any]) -> dict[str, Any]:
    """Returns where the proxy gets its configuration."""
    (cluster,) = (c for c in config["static_resources"]["clusters"] if c["name"] == "xds")
    (locality,) = cluster["load_assignment"]["endpoints"]
    (endpoint,) = locality["lb_endpoints"]
    return dict(endpoint["endpoint"]["address"]["socket_address"])


def verified_names(config: dict[str, Any]) -> list[str]:
    """Takes out the names that Envoy asks for and that the certificate must have."""
    (cluster,) = (c for c in config["static_resources"]["clusters"] if c["name"] == "xds")
    tls = cluster["transport_socket"]["typed_config"]
    context = tls["common_tls_context"]["combined_validation_context"]
    (name,) = context["default_validation_context"]["match_typed_subject_alt_names"]
    return [tls.pop("sni"), name["matcher"].pop("exact")]


def without_host(config: dict[str, Any]) -> str:
    """Returns a bootstrap as text, but for the host of the operator."""
    (cluster,) = (c for c in config["static_resources"]["clusters"] if c["name"] == "xds")
    (locality,) = cluster["load_assignment"]["endpoints"]
    locality["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["address"] = ""
    return json.dumps(config)


PLAIN = parsed(GatewaySettings("image", None, "x", 1, ""))
verified_names(PLAIN)
PLAIN_TEXT = without_host(PLAIN)


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1))
def test_no_host_changes_the_structure(host: str) -> None:
    """Whatever the value is, it arrives as it was given, and nothing else differs.

    JSON writes characters above U+FFFF as two, which YAML reads differently; no host has them.
    """
    config = parsed(GatewaySettings("image", None, host, 1, ""))

    assert xds_address(config) == {"address": host, "port_value": 1}
    assert verified_names(config) == [host, host]
    assert without_host(config) == PLAIN_TEXT


@pytest.mark.parametrize("host", ["n", "no", "null", "1e3", "0x10", '"}}', "a: b", "{{ 7 * 7 }}"])
def test_words_of_yaml_stay_text(host: str) -> None:
    """Names that YAML reads as something else stay what they are."""
    assert xds_address(parsed(GatewaySettings("image", None, host, 1, "")))["address"] == host


def test_an_unknown_variable_is_an_error() -> None:
    """A misspelt variable never renders as nothing."""
    template = bootstrap.template("bootstrap.yaml.j2")

    with pytest.raises((TypeError, UndefinedError), match=r"[Uu]ndefined"):
        template.render(xds_hots="x")


def test_admin_is_on_loopback_only() -> None:
    """Nothing but the status port is open to the network before the operator has its say."""
    config = parsed()

    assert config["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    (listener,) = config["static_resources"]["listeners"]
    assert listener["address"]["socket_address"]["port_value"] == names.GATEWAY_STATUS_PORT


def test_the_first_configuration_is_waited_for() -> None:
    """Envoy's default would make a proxy ready after 15 seconds, with nothing to serve."""
    dynamic = parsed()["dynamic_resources"]

    assert {dynamic[key]["initial_fetch_timeout"] for key in ("cds_config", "lds_config")} == {"0s"}


@pytest.mark.envoy
def test_envoy_accepts_it(tmp_path: Path) -> None:
    """Field names, types and ranges are right, and nothing in it is deprecated."""
    file = tmp_path / bootstrap.BOOTSTRAP_FILE
    access = Access.write(tmp_path, certificates().ca, "token")
    file.write_text(access.moved(bootstrap.bootstrap(gateway().spec, SETTINGS)))
    command = [str(ENVOY), "--mode", "validate", "-c", str(file)]
    command += ["--service-node", "pod", "--service-cluster", "edge/default"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG)

    assert done.returncode == 0, done.stderr
    assert "eprecated" not in done.stderr


@pytest.mark.envoy
def test_the_status_port_shows_two_pages(tmp_path: Path) -> None:
    """Readiness and metrics, by GET; no other page, and no series that say nothing."""
    config = without_xds()
    with running(config, tmp_path) as envoy:
        envoy.until_ready()
        code, metrics = envoy.get(envoy.status, "/stats/prometheus")

        assert code == 200
        assert "envoy_server_live" in metrics
        assert "worker_" not in metrics
        assert "envoy_cluster_membership_healthy" in metrics
        assert "envoy_cluster_lb_subsets_active" not in metrics
        for path in ("/", "/config_dump", "/stats", "/ready/", "/quitquitquit", "/ready/../stats"):
            assert envoy.get(envoy.status, path)[0] == 404, path
        assert envoy.get(envoy.status, "/ready", "POST")[0] == 404
        assert envoy.get(envoy.admin, "/quitquitquit", "POST")[0] == 403


@pytest.mark.envoy
def test_a_proxy_without_the_operator_is_not_ready(tmp_path: Path) -> None:
    """It runs, and it says that it waits."""
    config = parsed()
    access = Access.write(tmp_path, certificates().ca, "token")
    clusters = config["static_resources"]["clusters"]
    clusters[0] = access.cluster(free_port())
    with running(config, tmp_path) as envoy:

        def said() -> tuple[int, str] | None:
            with suppress(OSError):
                return envoy.get(envoy.admin, "/ready")
            return None

        code, text = wait_until(said, "Envoy has started")

        assert code == 503
        assert "INITIALIZING" in text


@pytest.mark.envoy
def test_a_renewed_certificate_is_used(tmp_path: Path) -> None:
    """The kubelet moves a symbolic link; Envoy serves the new certificate without a restart."""
    spec = gateway(listeners=[_https("web")]).spec
    folder = tmp_path / "tls"
    _mount(folder, "..first", first := _certificate())
    file = tmp_path / Path(names.sds_path("web")).name
    text = bootstrap.files(spec, SETTINGS)[file.name]
    file.write_text(text.replace(names.certificate_folder("web"), str(folder)))
    port = free_port()
    config = without_xds()
    config["static_resources"]["listeners"].append(_tls_listener(port, file))
    with running(config, tmp_path) as envoy:
        envoy.until_ready()
        assert _served(port) == first[0]

        _mount(folder, "..second", second := _certificate())

        wait_until(lambda: _served(port) == second[0], "the new certificate is served")


def _https(name: str) -> dict[str, Any]:
    return {"name": name, "port": 443, "protocol": "HTTPS", "tls": {"secretName": "cert"}}


def _certificate() -> tuple[bytes, bytes]:
    """Returns certificate and key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1))
    certificate = builder.not_valid_after(now + timedelta(hours=1)).sign(key, hashes.SHA256())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(encoding, form, serialization.NoEncryption())
    return certificate.public_bytes(encoding), private


def _mount(folder: Path, version: str, pair: tuple[bytes, bytes]) -> None:
    """Writes files as the kubelet does (AtomicWriter): a folder, and a link that moves to it."""
    (folder / version).mkdir(parents=True)
    for name, content in zip(("tls.crt", "tls.key"), pair, strict=True):
        (folder / version / name).write_bytes(content)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(version)
    (folder / "..new").replace(folder / "..data")


def _served(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=HANG) as plain,
        context.wrap_socket(plain, server_hostname="test") as tls,
    ):
        served = tls.getpeercert(binary_form=True)
    assert served
    return ssl.DER_cert_to_PEM_cert(served).encode()


def _tls_listener(port: int, sds: Path) -> dict[str, Any]:
    source = {"path_config_source": {"path": str(sds)}, "resource_api_version": "V3"}
    secret = {"name": names.sds_secret("web"), "sds_config": source}
    prefix = "type.googleapis.com/envoy.extensions"
    socket_type = f"{prefix}.transport_sockets.tls.v3.DownstreamTlsContext"
    router = {"@type": f"{prefix}.filters.http.router.v3.Router"}
    manager = {
        "@type": f"type.googleapis.com/{_HCM}",
        "stat_prefix": "web",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"]}]},
        "http_filters": [{"name": "router", "typed_config": router}],
    }
    tls = {
        "@type": socket_type,
        "common_tls_context": {"tls_certificate_sds_secret_configs": [secret]},
    }
    chain = {
        "transport_socket": {"name": "tls", "typed_config": tls},
        "filters": [{"name": "http", "typed_config": manager}],
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"name": "web", "address": address, "filter_chains": [chain]}
