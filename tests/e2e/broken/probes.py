"""Servers whose probes do not succeed."""

from tests.e2e.broken.base import Broken, python, volume
from tests.e2e.certificates import Authority

_HEALTH_SERVER = """
import sys, time, concurrent.futures, grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
servicer = health.HealthServicer()
for entry in sys.argv[1:]:
    name, _, status = entry.partition("=")
    servicer.set(name, health_pb2.HealthCheckResponse.ServingStatus.Value(status))
if sys.argv[1:]:
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
server.add_insecure_port("[::]:50051")
server.start()
server.wait_for_termination()
"""
_SILENT_SERVER = """
import socket, time
listener = socket.create_server(("", 50051))
kept = []
while True:
    kept.append(listener.accept())
"""
_TLS_SERVER = """
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/mnt/data/tls.crt", "/mnt/data/tls.key")
listener = socket.create_server(("", 50051))
while True:
    connection, _ = listener.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()
"""
_SLOW_SERVER = "import os, time; time.sleep(8); os.execlp('python', 'python', '-m', 'user_service')"

_SOON = {"startup": {"failureThreshold": 30}}
"""For servers whose answers may still change: they have to be killed before it is certain."""

PROBES = (
    Broken(
        "startup-service",
        {"probes": {"startup": {"service": "no.such.Service"}}},
        "StartupProbeFailing",
        ("no.such.Service", "NOT_FOUND"),
    ),
    Broken(
        "readiness-service",
        {"probes": {"readiness": {"service": "no.such.Service"}}},
        "ReadinessProbeFailing",
        ("no.such.Service", "NOT_FOUND"),
    ),
    Broken(
        "liveness-service",
        {"probes": {"liveness": {"service": "no.such.Service", "periodSeconds": 5}}},
        "LivenessProbeFailing",
        ("no.such.Service", "NOT_FOUND"),
    ),
    Broken(
        "not-serving",
        python(
            _HEALTH_SERVER, "=SERVING", "db=NOT_SERVING", probes={"readiness": {"service": "db"}}
        ),
        "ReadinessProbeFailing",
        ("db", "NOT_SERVING"),
    ),
    Broken(
        "no-health",
        python(_HEALTH_SERVER),
        "StartupProbeFailing",
        ("UNIMPLEMENTED", "grpc.health.v1"),
    ),
    Broken(
        "port",
        # On a busy node this server needs longer than the others have to end by itself.
        {"port": 50061, "probes": _SOON, "drain": {"timeout": "10s"}},
        "StartupProbeFailing",
        ("50061", "refused"),
    ),
    Broken(
        "tls",
        python(_TLS_SERVER, **volume(secret={"secretName": "tls"})),
        "StartupProbeFailing",
        ("TLS",),
        (Authority().secret("tls", "tls"),),
    ),
    Broken(
        "http",
        {"command": ["python", "-m", "http.server", "50051"], "args": []},
        "StartupProbeFailing",
        ("HTTP/1",),
    ),
    Broken("silent", python(_SILENT_SERVER, probes=_SOON), "StartupProbeFailing", ("no answer",)),
)

SLOW = Broken("slow", python(_SLOW_SERVER), "Ready", ())
"""A server that has no problem, but takes longer to start than others."""
