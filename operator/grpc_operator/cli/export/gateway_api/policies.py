"""Policies of Envoy Gateway (gateway.envoyproxy.io/v1alpha1).

https://gateway.envoyproxy.io/v1.9/api/extension_types/
"""

from collections.abc import Iterator, Sequence
from typing import Any

from grpc_operator import limits
from grpc_operator.cli.export.attached import AttachedService, GatewayOfServices
from grpc_operator.cli.export.gateway_api import standard
from grpc_operator.cli.export.gateway_api.routes import GrpcRoute, GrpcRule
from grpc_operator.cli.export.losses import Loss
from grpc_operator.gateway.ir import Retries
from grpc_operator.resources import Manifest

_API_VERSION = "gateway.envoyproxy.io/v1alpha1"
_GROUP = "gateway.networking.k8s.io"
_RETRY_BUDGET_PERCENT = 20
_LEAST_RETRIES = 10


def backend_traffic(service: AttachedService, route: GrpcRoute, rule: GrpcRule) -> Manifest:
    """Returns the BackendTrafficPolicy of one rule: timeouts, retries, limits."""
    target = {**_target("GRPCRoute", route.name), "sectionName": rule.name}
    spec: dict[str, Any] = {
        "targetRefs": [target],
        "timeout": {"http": _timeouts(rule)},
        "loadBalancer": {"type": "LeastRequest"},
        "circuitBreaker": {
            "maxConnections": limits.PROXY_UPSTREAM_CONNECTIONS.value,
            "maxPendingRequests": limits.PROXY_CALLS.value,
            "maxParallelRequests": limits.PROXY_CALLS.value,
            "retryBudget": {
                "percent": {"numerator": _RETRY_BUDGET_PERCENT},
                "minRetryConcurrency": _LEAST_RETRIES,
            },
        },
    }
    if rule.policy.retries is not None:
        spec["retry"] = _retry(rule.policy.retries)
    return _policy("BackendTrafficPolicy", service, f"{route.name}-{rule.name}", spec)


def cors(service: AttachedService, targets: Sequence[tuple[str, str]]) -> Manifest:
    """Returns the SecurityPolicy by which web pages may call a service.

    Args:
        service: It has ``spec.gateway.cors``.
        targets: Kind and name of its routes.
    """
    given = service.attachment.cors
    assert given is not None  # noqa: S101 - the caller has checked
    made = {**standard.cors(given), "maxAge": f"{int(given.max_age)}s"}
    spec = {"targetRefs": [_target(*each) for each in targets], "cors": made}
    return _policy("SecurityPolicy", service, f"{service.service.workload.name}-cors", spec)


def client_traffic(gateway: GatewayOfServices) -> Manifest:
    """Returns the ClientTrafficPolicy of a gateway: its fields have the names of our API."""
    spec = gateway.gateway.object.spec
    hops = spec.client_ip_detection.x_forwarded_for.num_trusted_hops
    made: dict[str, Any] = {
        "targetRefs": [_target("Gateway", gateway.name)],
        "grpc": {"enableWeb": offers_web(gateway)},
        "connection": {"connectionLimit": {"value": spec.connection.connection_limit.value}},
        "headers": {"withUnderscoresAction": spec.headers.with_underscores_action},
        "http2": {"maxConcurrentStreams": spec.http2.max_concurrent_streams},
        "path": {"escapedSlashesAction": spec.path.escaped_slashes_action},
        "timeout": {"http": {"idleTimeout": spec.timeout.http.idle_timeout}},
    }
    if hops:
        made["clientIPDetection"] = {"xForwardedFor": {"numTrustedHops": hops}}
    return {
        "apiVersion": _API_VERSION,
        "kind": "ClientTrafficPolicy",
        "metadata": {"name": gateway.name, "namespace": gateway.namespace},
        "spec": made,
    }


def offers_web(gateway: GatewayOfServices) -> bool:
    """Returns whether any service of a gateway has gRPC-Web."""
    return any(each.attachment.grpc_web for each in gateway.services)


def losses(service: AttachedService, *, web_is_enabled: bool) -> Iterator[Loss]:
    """Yields what the policies cannot say.

    Args:
        service: The service.
        web_is_enabled: See ``offers_web``.
    """
    policies = [method.policy for api in service.attachment.apis for method in api.methods] or [
        api.fallback for api in service.attachment.apis
    ]
    about = service.service
    if any(each.retries and each.retries.statuses for each in policies):
        yield about.loss(
            "spec.gateway.retry.codes",
            "has no counterpart there for UNKNOWN and ABORTED.",
            "Retry these codes in clients.",
        )
    if service.attachment.grpc_web and not service.attachment.grpc:
        yield about.loss(
            "spec.gateway.protocols",
            "cannot leave out gRPC there: gRPC-Web uses the same route.",
            "Refuse gRPC in the server.",
        )
    if service.attachment.grpc and not service.attachment.grpc_web and web_is_enabled:
        yield about.loss(
            "spec.gateway.protocols",
            "cannot leave out gRPC-Web there: another service of the gateway has it.",
            "Use a gateway of its own.",
        )
    if about.workload.timeouts.request is not None:
        yield about.loss(
            "spec.gateway.timeouts.request",
            "ends calls there, but does not limit the deadlines of clients.",
            "Have the server limit them.",
        )


def _timeouts(rule: GrpcRule) -> dict[str, str]:
    """Returns the time limits of a rule; 0s for none."""
    made = {"streamIdleTimeout": _duration(rule.policy.idle_timeout)}
    limit = _duration(rule.policy.timeout)
    if rule.streams:  # which a request timeout would end, too
        return {**made, "requestTimeout": "0s", "maxStreamDuration": limit}
    return {**made, "requestTimeout": limit}


def _retry(given: Retries) -> dict[str, Any]:
    made: dict[str, Any] = {
        "numRetries": given.attempts,
        "retryOn": {"triggers": list(given.on)},
    }
    if given.per_try_timeout:
        made["perRetry"] = {"timeout": _duration(given.per_try_timeout)}
    return made


def _duration(seconds: float | None) -> str:
    """Returns a duration of Gateway API (GEP-2257)."""
    milliseconds = round((seconds or 0) * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}s" if not rest else f"{whole}s{rest}ms" if whole else f"{rest}ms"


def _target(kind: str, name: str) -> dict[str, str]:
    return {"group": _GROUP, "kind": kind, "name": name}


def _policy(kind: str, service: AttachedService, name: str, spec: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": _API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": service.service.workload.namespace},
        "spec": spec,
    }
