"""What is looked for in Node.js."""

from grpc_operator.cli.lint.code_rules.rule import (
    LIMIT,
    LOOP,
    NO_DEADLINE,
    NO_WAIT,
    UNKNOWN,
    UNLIMITED,
    Missing,
    Present,
    Rules,
    at_sigterm,
    server,
)
from grpc_operator.cli.lint.source import NODE

_NODE_SERVER = r"\bnew\s+(grpc\.)?Server\("

RULES = Rules(
    NODE,
    (
        *server(
            _NODE_SERVER,
            health=(
                (
                    r"(?i:health\w*)\.addToServer\(|HealthImplementation[\s\S]*\.addToServer\("
                    r"|addService\([^;]*(?i:health)|path:\s*[\"']/grpc\.health\.v1"
                ),
                "Add the health service of the package grpc-health-check.",
            ),
            reflection=(
                (
                    r"ReflectionService[\s\S]*\.addToServer\(|addService\([^;]*(?i:reflection)"
                    r"|\bwrapServerWithReflection\(|\baddReflection\("
                ),
                "Add the ReflectionService of the package @grpc/reflection.",
            ),
            interceptors=(
                r"\binterceptors\s*:|\bServer\([^;]*\binterceptors\b",
                "Give the server {interceptors: [...]}.",
            ),
            end=(r"\.tryShutdown\(", "At SIGTERM call tryShutdown, and forceShutdown later."),
        ),
        at_sigterm(_NODE_SERVER, r"\.tryShutdown\("),
        Missing(
            "GS106",
            rf"{LOOP}(?P<at>\bcall\.write\()",
            r"[\"']drain[\"']|\(\s*!?\s*call\.write\(|\bpipeline\(|\.pipe\(",
            NO_WAIT,
            "When call.write returns false, wait for the event drain.",
        ),
        Missing(
            "GS103",
            r"\bnew\s+(\w+\.)*\w+Client\(",
            r"\bdeadline\b",
            NO_DEADLINE,
            "Pass {deadline: Date.now() + 5000} with each call.",
        ),
    ),
    (
        Present(
            "GS105",
            r"[\"']grpc\.max_receive_message_length[\"']\s*:\s*-1",
            UNLIMITED,
            LIMIT,
            in_texts=True,
        ),
        Present(
            "GS109",
            r"\b(callback|cb|done|reply)\(\s*new\s+Error\(",
            UNKNOWN,
            "Pass {code: grpc.status.NOT_FOUND, details: ...}.",
        ),
    ),
)
