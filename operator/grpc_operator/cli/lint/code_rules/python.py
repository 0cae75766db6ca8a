"""What is looked for in Python."""

from grpc_operator.cli.lint.code_rules.rule import (
    LIMIT,
    UNLIMITED,
    Present,
    Rules,
    at_sigterm,
    server,
)
from grpc_operator.cli.lint.source import PYTHON

_PYTHON_SERVER = r"\bgrpc\.(aio\.)?server\(|\baio\.server\("
_PYTHON_STOP = r"\.stop\(\s*(?!None|0\s*\)|\)|grace\s*=\s*None)"

RULES = Rules(
    PYTHON,
    (
        *server(
            _PYTHON_SERVER,
            health=(
                r"\badd_HealthServicer_to_server\b|\bgrpc_health\b",
                "Add health_pb2_grpc.add_HealthServicer_to_server (grpcio-health-checking).",
            ),
            reflection=(
                r"\benable_server_reflection\b|\bReflectionServicer\b|\bgrpc_reflection\b",
                "Add reflection.enable_server_reflection (grpcio-reflection).",
            ),
            interceptors=(r"\binterceptors\s*=", "Give the server interceptors=[...]."),
            end=(_PYTHON_STOP, "At SIGTERM call server.stop with GRPC_DRAIN_SECONDS."),
        ),
        at_sigterm(_PYTHON_SERVER, _PYTHON_STOP),
    ),
    (
        Present(
            "GS105",
            r"\(\s*[\"']grpc\.max_receive_message_length[\"']\s*,\s*-1\s*\)",
            UNLIMITED,
            LIMIT,
            in_texts=True,
        ),
    ),
)
