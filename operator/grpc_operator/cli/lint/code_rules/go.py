"""What is looked for in Go."""

from grpc_operator.cli.lint.code_rules.rule import (
    LIMIT,
    NO_DEADLINE,
    UNKNOWN,
    UNLIMITED,
    Missing,
    Present,
    Rules,
    at_sigterm,
    server,
)
from grpc_operator.cli.lint.source import GO

_GO_SERVER = r"\bgrpc\.NewServer\("
_GO_STREAM = r"grpc\.(ServerStreaming|ClientStreaming|BidiStreaming)Server\[|\w_\w+Server\) error"
_GO_UNARY = r"\w+ context\.Context, \w+ \*\w+\.\w+\) \(\*\w+\.\w+, error\)"

RULES = Rules(
    GO,
    (
        *server(
            _GO_SERVER,
            health=(
                r"\bRegisterHealthServer\(",
                "Add: grpc_health_v1.RegisterHealthServer(server, health.NewServer())",
            ),
            reflection=(r"\breflection\.Register(V1)?\(", "Add: reflection.Register(server)"),
            interceptors=(
                r"\b(Chain)?(Unary|Stream)Interceptor\(|\bStatsHandler\(",
                "Give grpc.NewServer ChainUnaryInterceptor and ChainStreamInterceptor.",
            ),
            end=(
                r"\.GracefulStop\(",
                "Call GracefulStop at SIGTERM, and Stop after GRPC_DRAIN_SECONDS.",
            ),
        ),
        Missing(
            "GS108",
            _GO_SERVER,
            r"\b(Chain)?StreamInterceptor\(|\bStatsHandler\(",
            "streaming calls go through no interceptor: only unary ones are logged and checked",
            "Give grpc.NewServer grpc.ChainStreamInterceptor as well.",
            (r"\b(Chain)?UnaryInterceptor\(", _GO_STREAM),
        ),
        Missing(
            "GS108",
            _GO_SERVER,
            r"\b(Chain)?UnaryInterceptor\(|\bStatsHandler\(",
            "unary calls go through no interceptor: only streaming ones are logged and checked",
            "Give grpc.NewServer grpc.ChainUnaryInterceptor as well.",
            (r"\b(Chain)?StreamInterceptor\(", _GO_UNARY),
        ),
        at_sigterm(_GO_SERVER, r"\.GracefulStop\("),
    ),
    (
        Present(
            "GS103",
            r"\b\w*[cC]lient\w*\.[A-Z]\w*\(\s*context\.(Background|TODO)\(\)",
            NO_DEADLINE,
            "Pass the caller's context, or one of context.WithTimeout.",
        ),
        Present(
            "GS105",
            r"\bMax(Recv|CallRecv)MsgSize\(\s*math\.MaxInt\w*",
            UNLIMITED,
            LIMIT,
        ),
        Present(
            "GS109",
            r"^func \(\w+ \*?\w+\) [A-Z]\w*\(\w+ context\.Context, \w+ \*\w+\.\w+\) "
            r"\(\*\w+\.\w+, error\) \{(?:(?!^\}).)*?"
            r"(?P<at>return nil, (errors\.New|fmt\.Errorf)\()",
            UNKNOWN,
            "Return status.Error or status.Errorf with a code.",
        ),
    ),
)
