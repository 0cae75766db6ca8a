"""What is looked for in Rust."""

from grpc_operator.cli.lint.code_rules.rule import (
    LIMIT,
    NO_DEADLINE,
    UNKNOWN,
    UNLIMITED,
    Missing,
    Present,
    Rules,
    server,
)
from grpc_operator.cli.lint.source import RUST

RULES = Rules(
    RUST,
    (
        *server(
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
            NO_DEADLINE,
            "Connect by an Endpoint with timeout, or call set_timeout on each request.",
        ),
    ),
    (
        Present(
            "GS105",
            r"\bmax_decoding_message_size\(\s*usize::MAX",
            UNLIMITED,
            LIMIT,
        ),
        Present(
            "GS109", r"\bStatus::unknown\(", UNKNOWN, "Use the status that says what happened."
        ),
    ),
)
