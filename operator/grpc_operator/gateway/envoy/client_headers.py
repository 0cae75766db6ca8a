"""What of a client's headers is removed before anything reads them (docs/adr/0022).

Words that only proxies may say, and those of gRPC that only servers and load balancers say.
"""

from envoy.config.common.mutation_rules.v3 import mutation_rules_pb2
from envoy.type.matcher.v3 import string_pb2

from grpc_operator.gateway.envoy.resource_names import TIMEOUT_HEADER

_OF_PROXIES = (
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-real-ip",
)
"""What servers believe of a proxy in front of them. This one says ``x-forwarded-for`` and
``x-forwarded-proto`` itself."""

_OF_ENVOY = "x-envoy-"
"""Beginning of what Envoy and its filters read as instructions."""

_OF_SERVERS = (
    "endpoint-load-metrics-bin",
    "grpc-internal-encoding-request",
    "grpc-message",
    "grpc-retry-pushback-ms",
    "grpc-server-stats-bin",
    "grpc-status",
    "grpc-status-details-bin",
    "grpclb_client_stats",
    "lb-cost-bin",
    "lb-token",
)
"""What gRPC's core parses wherever it stands, though no request has it (grpc/grpc,
metadata_batch.h)."""


def removed() -> list[mutation_rules_pb2.HeaderMutation]:
    """Returns the mutations of a new request that leave it what a client may say."""
    mutation = mutation_rules_pb2.HeaderMutation
    of_envoy = mutation.RemoveOnMatch(key_matcher=string_pb2.StringMatcher(prefix=_OF_ENVOY))
    return [
        mutation(remove_on_match=of_envoy),
        *(mutation(remove=name) for name in (*_OF_PROXIES, *_OF_SERVERS, TIMEOUT_HEADER)),
    ]
