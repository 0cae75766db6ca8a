"""The check behind `helm test`, run as the pod runs it, against servers on loopback."""

import datetime as dt
import ipaddress
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.helm.chart import only, rendered_case

TOKEN = "the-token-of-the-test"
GROUP = "/apis/grpc.infera.dev/v1alpha1"
SERVED = json.dumps({"resources": [{"name": "grpcservices"}, {"name": "grpcgateways"}]})
ONE = json.dumps({"resources": [{"name": "grpcservices"}, {"name": "grpcservices/status"}]})


@pytest.fixture(scope="module")
def token_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the kubelet mounts, with a CA that has no key identifier, as some clusters have."""
    directory = tmp_path_factory.mktemp("serviceaccount")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (directory / "token").write_text(TOKEN)
    (directory / "ca.crt").write_bytes(pem)
    (directory / "server.pem").write_bytes(private + pem)
    return directory


@contextmanager
def _server(answers: dict[str, tuple[int, str]], tls: Path | None = None) -> Iterator[str]:
    """Serves these paths on loopback; with `tls`, only to those who bring the token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answers.get(self.path, (404, "not found"))
            if tls and self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, text = 401, "no token"
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - overridden
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _run(operator: str, api_server: str, token_directory: Path) -> tuple[int, str]:
    """Runs the script of the rendered pod with its variables pointed at these servers."""
    (container,) = only(rendered_case("default"), "Pod")["spec"]["containers"]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    ours = {
        "READYZ_URL": f"{operator}/readyz",
        "API_SERVER": api_server,
        "TOKEN_DIRECTORY": str(token_directory),
        "TIMEOUT_SECONDS": "0",
    }
    assert variables.keys() == ours.keys()
    interpreter, *arguments = container["command"]
    assert interpreter == "python"
    done = subprocess.run(
        [sys.executable, *arguments], env=ours, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_passes(token_directory: Path) -> None:
    """A ready operator and a served CRD are one line each."""
    with (
        _server({"/readyz": (200, "ok")}) as operator,
        _server({GROUP: (200, SERVED)}, token_directory / "server.pem") as api_server,
    ):
        code, output = _run(operator, api_server, token_directory)
    assert output.splitlines() == [
        f"ok: {operator}/readyz returned 200",
        f"ok: {GROUP} serves grpcgateways, grpcservices",
    ]
    assert code == 0


@pytest.mark.parametrize(
    ("readyz", "group", "expected"),
    [
        ((503, "starting\n"), (200, SERVED), "readyz returned 503: starting"),
        ((200, "ok"), (404, "no such group"), "failed: check_crds: HTTP Error 404"),
        (
            (200, "ok"),
            (200, '{"resources": []}'),
            "not serve grpcgateways, grpcservices: is the CRD installed?",
        ),
        ((200, "ok"), (200, ONE), "does not serve grpcgateways: is the CRD installed?"),
        ((200, "ok"), (200, "<html>"), "failed: check_crds: Expecting value"),
    ],
)
def test_fails(
    readyz: tuple[int, str], group: tuple[int, str], expected: str, token_directory: Path
) -> None:
    """Each failure says what was asked and what came back; the other check still runs."""
    with (
        _server({"/readyz": readyz}) as operator,
        _server({GROUP: group}, token_directory / "server.pem") as api_server,
    ):
        code, output = _run(operator, api_server, token_directory)
    assert expected in output
    assert output.count("ok: ") == 1
    assert code == 1


def test_unreachable_operator(token_directory: Path) -> None:
    """A Service without endpoints is a failure, not a crash."""
    with _server({GROUP: (200, SERVED)}, token_directory / "server.pem") as api_server:
        code, output = _run("http://127.0.0.1:1", api_server, token_directory)
    assert "failed: check_operator: <urlopen error" in output
    assert code == 1
