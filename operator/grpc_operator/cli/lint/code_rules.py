"""What is looked for in source code: by language, signs that a project has something."""

import re
from dataclasses import dataclass, field

from grpc_operator.cli.lint.source import GO, JAVA, NODE, PYTHON, RUST, Language


@dataclass(frozen=True)
class Missing:
    """Something that a project with a server, or with clients, needs once.

    Attributes:
        code: The finding if it has it nowhere.
        needed_by: Matches what needs it; the finding is there.
        signs: Matches what it looks like; also in texts, such as names of packages.
        message: What is wrong.
        fix: What to write.
    """

    code: str
    needed_by: str
    signs: str
    message: str
    fix: str


@dataclass(frozen=True)
class Present:
    """Something that is wrong wherever it is.

    Attributes:
        code: The finding.
        found: Matches it.
        message: What is wrong.
        fix: What to write.
        in_texts: Whether it is in texts, such as the name of an option.
    """

    code: str
    found: str
    message: str
    fix: str
    in_texts: bool = False


@dataclass(frozen=True)
class Rules:
    """What is looked for in a language.

    Attributes:
        language: The language.
        missing: What projects need.
        present: What files must not have.
    """

    language: Language
    missing: tuple[Missing, ...]
    present: tuple[Present, ...] = field(default=())


_NO_HEALTH = "the server has no health service, so probes and clients cannot ask for it"
_NO_REFLECTION = "the server has no reflection: the gateway and tools need its descriptor by hand"
_NO_INTERCEPTORS = "the server has no interceptor: calls are neither logged, measured nor checked"
_NO_END = "the server ends at SIGTERM without finishing its calls"
_NO_DEADLINE = "calls of this client have no deadline: they wait for ever for a server that hangs"
_UNLIMITED = "messages of any size are taken: one caller can use up the memory"
_LIMIT = "Set the size that the largest message needs, and send pages or a stream."
_UNKNOWN = "callers get the code UNKNOWN, which says nothing and is not sent again"


def _server(
    where: str,
    *,
    health: tuple[str, str],
    reflection: tuple[str, str],
    interceptors: tuple[str, str],
    end: tuple[str, str],
) -> tuple[Missing, ...]:
    """Returns what a server needs: each a sign of it, and how to add it."""
    return (
        Missing("GS102", where, health[0], _NO_HEALTH, health[1]),
        Missing("GS107", where, reflection[0], _NO_REFLECTION, reflection[1]),
        Missing("GS108", where, interceptors[0], _NO_INTERCEPTORS, interceptors[1]),
        Missing("GS110", where, end[0], _NO_END, end[1]),
    )


RULES = (
    Rules(
        GO,
        _server(
            r"\bgrpc\.NewServer\(",
            health=(
                r"\bRegisterHealthServer\(",
                "Add: grpc_health_v1.RegisterHealthServer(server, health.NewServer())",
            ),
            reflection=(r"\breflection\.Register(V1)?\(", "Add: reflection.Register(server)"),
            interceptors=(
                r"\b(Chain)?(Unary|Stream)Interceptor\(|\bStatsHandler\(",
                "Give grpc.NewServer grpc.ChainUnaryInterceptor and grpc.ChainStreamInterceptor.",
            ),
            end=(
                r"\.GracefulStop\(",
                "Call GracefulStop at SIGTERM, and Stop after GRPC_DRAIN_SECONDS.",
            ),
        ),
        (
            Present(
                "GS103",
                r"\b\w*[cC]lient\w*\.[A-Z]\w*\(\s*context\.(Background|TODO)\(\)",
                _NO_DEADLINE,
                "Pass the caller's context, or one of context.WithTimeout.",
            ),
            Present(
                "GS105",
                r"\bMax(Recv|CallRecv)MsgSize\(\s*math\.MaxInt\w*",
                _UNLIMITED,
                _LIMIT,
            ),
            Present(
                "GS109",
                r"^func \(\w+ \*?\w+\) [A-Z]\w*\(\w+ context\.Context, \w+ \*\w+\.\w+\) "
                r"\(\*\w+\.\w+, error\) \{(?:(?!^\}).)*?"
                r"(?P<at>return nil, (errors\.New|fmt\.Errorf)\()",
                _UNKNOWN,
                "Return status.Error or status.Errorf with a code.",
            ),
        ),
    ),
    Rules(
        PYTHON,
        _server(
            r"\bgrpc\.(aio\.)?server\(|\baio\.server\(",
            health=(
                r"\badd_HealthServicer_to_server\b|\bgrpc_health\b",
                "Add health_pb2_grpc.add_HealthServicer_to_server (grpcio-health-checking).",
            ),
            reflection=(
                r"\benable_server_reflection\b|\bReflectionServicer\b|\bgrpc_reflection\b",
                "Add reflection.enable_server_reflection (grpcio-reflection).",
            ),
            interceptors=(r"\binterceptors\s*=", "Give the server interceptors=[...]."),
            end=(
                r"\.stop\(\s*(?!None|0\s*\)|\)|grace\s*=\s*None)",
                "At SIGTERM call server.stop with GRPC_DRAIN_SECONDS.",
            ),
        ),
        (
            Present(
                "GS105",
                r"\(\s*[\"']grpc\.max_receive_message_length[\"']\s*,\s*-1\s*\)",
                _UNLIMITED,
                _LIMIT,
                in_texts=True,
            ),
        ),
    ),
    Rules(
        NODE,
        (
            *_server(
                r"\bnew\s+(grpc\.)?Server\(",
                health=(
                    r"grpc-health-check|\bHealthImplementation\b|grpc[./]health",
                    "Add the health service of the package grpc-health-check.",
                ),
                reflection=(
                    r"@grpc/reflection|\b(Server)?Reflection(Service)?\b|grpc[./]reflection",
                    "Add the ReflectionService of the package @grpc/reflection.",
                ),
                interceptors=(
                    r"\binterceptors\s*:|\bServerInterceptingCall\b|\binterceptors\b\s*[,}]",
                    "Give the server {interceptors: [...]}.",
                ),
                end=(r"\.tryShutdown\(", "At SIGTERM call tryShutdown, and forceShutdown later."),
            ),
            Missing(
                "GS103",
                r"\bnew\s+(\w+\.)*\w+Client\(",
                r"\bdeadline\b",
                _NO_DEADLINE,
                "Pass {deadline: Date.now() + 5000} with each call.",
            ),
        ),
        (
            Present(
                "GS105",
                r"[\"']grpc\.max_receive_message_length[\"']\s*:\s*-1",
                _UNLIMITED,
                _LIMIT,
                in_texts=True,
            ),
            Present(
                "GS109",
                r"\b(callback|cb|done|reply)\(\s*new\s+Error\(",
                _UNKNOWN,
                "Pass {code: grpc.status.NOT_FOUND, details: ...}.",
            ),
        ),
    ),
    Rules(
        RUST,
        (
            *_server(
                r"\bServer::builder\(\)",
                health=(
                    r"\btonic_health\b",
                    "Add the service of tonic_health::server::health_reporter().",
                ),
                reflection=(
                    r"\btonic_reflection\b",
                    "Add the service of tonic_reflection::server::Builder.",
                ),
                interceptors=(
                    r"\.layer\(|\.trace_fn\(|\bwith_interceptor\(|\binterceptor\(",
                    "Add a layer, as of tower, or with_interceptor.",
                ),
                end=(
                    r"\.serve_with_(incoming_)?shutdown\(",
                    "Use serve_with_shutdown with a future that ends at SIGTERM.",
                ),
            ),
            Missing(
                "GS103",
                r"\b\w+Client::connect\(",
                r"\.timeout\(|\bset_timeout\(",
                _NO_DEADLINE,
                "Connect by an Endpoint with timeout, or call set_timeout on each request.",
            ),
        ),
        (
            Present(
                "GS105",
                r"\bmax_decoding_message_size\(\s*usize::MAX",
                _UNLIMITED,
                _LIMIT,
            ),
            Present(
                "GS109", r"\bStatus::unknown\(", _UNKNOWN, "Use the status that says what happened."
            ),
        ),
    ),
    Rules(
        JAVA,
        (
            *_server(
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
                "GS103",
                r"\bnew(Blocking|Future|BlockingV2)?Stub\(",
                r"\bwithDeadline(After)?\(",
                _NO_DEADLINE,
                "Call the stub by withDeadlineAfter(5, TimeUnit.SECONDS).",
            ),
        ),
        (
            Present(
                "GS105",
                r"\bmaxInboundMessageSize\(\s*Integer\.MAX_VALUE",
                _UNLIMITED,
                _LIMIT,
            ),
            Present(
                "GS109",
                r"\bonError\(\s*new\s+(?!Status(Runtime)?Exception)\w*(Exception|Throwable|Error)\(",
                _UNKNOWN,
                "Pass Status.NOT_FOUND.withDescription(...).asRuntimeException().",
            ),
        ),
    ),
)
"""What is looked for. Sources: the documentation of grpc-go, grpcio, grpc-js, tonic, grpc-java."""

SERVICE_CONFIG = re.compile(
    r"service_?config|With(Chain)?UnaryInterceptor|ClientInterceptor", re.IGNORECASE
)
"""A project that has this may set deadlines for all calls of a channel."""
