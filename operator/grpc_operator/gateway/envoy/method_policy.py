"""A method's policy -> the part of Envoy's RouteAction that applies it."""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.type.matcher.v3 import string_pb2

from grpc_operator.gateway.envoy.protobuf import duration, pack
from grpc_operator.gateway.ir import Policy, Retries

_PREVIOUS_HOSTS = "envoy.retry_host_predicates.previous_hosts"
_OTHER_HOST_TRIES = 40
"""How often a host is chosen until it is one that was not tried yet. LEAST_REQUEST compares two at
random, and prefers those that refuse connections, because no call stays there: of two hosts it
takes the other one in one of four times."""


def action(cluster: str, policy: Policy) -> route.RouteAction:
    """Returns what happens to the calls of a method.

    The time limit is a maximal stream duration, not a route timeout: only that one honors the
    client's ``grpc-timeout``, counts from the first byte of the request, and ends a gRPC call with
    DEADLINE_EXCEEDED instead of UNAVAILABLE, which clients would retry.
    """
    made = route.RouteAction(
        cluster=cluster,
        timeout=duration(None),
        idle_timeout=duration(policy.idle_timeout),
        max_stream_duration=route.RouteAction.MaxStreamDuration(
            max_stream_duration=duration(policy.timeout)
        ),
    )
    if policy.ends_at_deadline:
        longest = duration(policy.longest_deadline)
        made.max_stream_duration.grpc_timeout_header_max.CopyFrom(longest)
    if policy.retries is not None:
        made.retry_policy.CopyFrom(_retry_policy(policy.retries))
    return made


def _retry_policy(retries: Retries) -> route.RetryPolicy:
    """Returns Envoy's retry policy.

    Envoy has no condition for some gRPC codes. A call that failed before its first message has its
    status among the response headers, where a header condition sees it.
    """
    conditions = [*retries.on, *(["retriable-headers"] if retries.statuses else [])]
    policy = route.RetryPolicy(
        retry_on=",".join(conditions),
        retry_host_predicate=[
            route.RetryPolicy.RetryHostPredicate(
                name=_PREVIOUS_HOSTS, typed_config=pack(previous_hosts_pb2.PreviousHostsPredicate())
            )
        ],
        host_selection_retry_max_attempts=_OTHER_HOST_TRIES,
        retriable_headers=[_status(code) for code in retries.statuses],
    )
    policy.num_retries.value = retries.attempts
    if retries.per_try_timeout is not None:
        policy.per_try_timeout.CopyFrom(duration(retries.per_try_timeout))
    return policy


def _status(code: int) -> route.HeaderMatcher:
    matcher = string_pb2.StringMatcher(exact=str(code))
    return route.HeaderMatcher(name="grpc-status", string_match=matcher)
