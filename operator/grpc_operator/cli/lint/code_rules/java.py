"""What is looked for in Java."""

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
    server,
)
from grpc_operator.cli.lint.source import JAVA

RULES = Rules(
    JAVA,
    (
        *server(
            r"\b(Netty|OkHttp)?ServerBuilder\.for(Port|Address)\(|\bGrpc\.newServerBuilderForPort\(",
            health=(
                r"\bHealthStatusManager\b|\bHealthGrpc\b",
                "Add new HealthStatusManager().getHealthService() (grpc-services).",
            ),
            reflection=(
                r"\bProtoReflectionService(V1)?\b",
                "Add ProtoReflectionServiceV1.newInstance() (grpc-services).",
            ),
            interceptors=(
                r"\.intercept\(|\bServerInterceptors\.intercept",
                "Add interceptors with intercept(...).",
            ),
            end=(
                r"\baddShutdownHook\(",
                "In a shutdown hook call shutdown, awaitTermination, then shutdownNow.",
            ),
        ),
        Missing(
            "GS106",
            rf"{LOOP}(?P<at>\b\w*[oO]bserver\.onNext\()",
            r"\bisReady\(|OnReadyHandler",
            NO_WAIT,
            "Send while ServerCallStreamObserver.isReady, and go on in its onReadyHandler.",
        ),
        Missing(
            "GS103",
            r"\bnew(Blocking|Future|BlockingV2)?Stub\(",
            r"\bwithDeadline(After)?\(",
            NO_DEADLINE,
            "Call the stub by withDeadlineAfter(5, TimeUnit.SECONDS).",
        ),
    ),
    (
        Present(
            "GS105",
            r"\bmaxInboundMessageSize\(\s*Integer\.MAX_VALUE",
            UNLIMITED,
            LIMIT,
        ),
        Present(
            "GS109",
            r"\bonError\(\s*new\s+(?!Status(Runtime)?Exception)\w*(Exception|Throwable|Error)\(",
            UNKNOWN,
            "Pass Status.NOT_FOUND.withDescription(...).asRuntimeException().",
        ),
    ),
)
