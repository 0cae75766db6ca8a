"""GS101 to GS110 in the spec of a GrpcService.

Only what is written in the spec is a finding, or what follows from it: a field that is unset has a
default that suits most services.
"""

from collections.abc import Callable, Iterator

from grpc_operator.api import GrpcService
from grpc_operator.api.gateway import Gateway, MethodPolicy, Retry, Timeouts
from grpc_operator.api.types import seconds
from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.operator_check import place
from grpc_operator.cli.objects import Given
from grpc_operator.descriptor import Descriptor
from grpc_operator.gateway.method_policy import ALL, UNARY_TIMEOUT

_GRPC_LIMIT = 4 << 20
"""Bytes that a gRPC server takes in a message unless it was changed, in every language."""

_GATEWAY_DELAY = 5.0
"""Seconds that a gateway needs to stop sending calls to a pod (``spec.drain.delay``)."""

_MOST_NAMED = 5


def findings(given: Given[GrpcService], descriptor: Descriptor | None) -> Iterator[Finding]:
    """Yields the mistakes in a spec.

    Args:
        given: The service, which fits the schema.
        descriptor: Its descriptor, if it is known.
    """

    def found(code: str, field: str, message: str, fix: str) -> Finding:
        return Finding(place(given.document, field), code, message, fix)

    yield from _health(given.object, found)
    yield from _ends(given.object, found)
    yield from _measured(given.object, found)
    if given.object.spec.client.timeout and not seconds(given.object.spec.client.timeout):
        yield found(
            "GS103",
            "spec.client.timeout",
            "0s: calls of clients have no deadline",
            "Set the longest time that a call may take, such as 10s.",
        )
    gateway = given.object.spec.gateway
    if gateway is not None:
        for check in (_browsers, _deadlines, _retries, _sizes, _streams, _reflection):
            yield from check(gateway, descriptor, found)


_Found = Callable[[str, str, str, str], Finding]


def _health(service: GrpcService, found: _Found) -> Iterator[Finding]:
    probes = service.spec.probes
    for name in ("readiness", "liveness"):
        if probes.by_name()[name].mode == "Disabled":
            what = (
                "pods get calls before they can answer"
                if name == "readiness"
                else ("a server that hangs is not restarted")
            )
            yield found(
                "GS102",
                f"spec.probes.{name}.mode",
                f"without a {name} probe {what}",
                "Serve grpc.health.v1.Health and enable the probe, or set httpGet or exec.",
            )
    if probes.readiness.tcp_socket is not None:
        yield found(
            "GS102",
            "spec.probes.readiness.tcpSocket",
            "a port that is open does not say that calls are answered",
            "Serve grpc.health.v1.Health and remove tcpSocket.",
        )
    named = probes.liveness.health_service
    if named:
        yield found(
            "GS102",
            "spec.probes.liveness",
            f"asks for the health of {named}, so pods restart while what it depends on is away",
            "Ask for the whole server: remove the service name; readiness may have it.",
        )


def _ends(service: GrpcService, found: _Found) -> Iterator[Finding]:
    drain, gateway = service.spec.drain, service.spec.gateway
    delay, timeout = seconds(drain.delay), seconds(drain.timeout)
    if delay < _GATEWAY_DELAY:
        yield found(
            "GS110",
            "spec.drain.delay",
            f"{drain.delay}: callers still send calls to a pod that ends",
            "Remove the field, or set 5s if only the gateway calls the service; clients in the"
            " cluster need 65s.",
        )
    if gateway is None:
        longest, what = 0.0, ""
    else:
        longest, what = _longest(gateway)
    if timeout < longest:
        yield found(
            "GS110",
            "spec.drain.timeout",
            f"{drain.timeout} is shorter than {what}: each rollout cuts calls off",
            f"Set at least {longest:g}s.",
        )


def _longest(gateway: Gateway) -> tuple[float, str]:
    """Returns the longest time that a unary call may take, in seconds, and what says so."""
    given = gateway.timeouts.request
    limits = [(UNARY_TIMEOUT, "the 15s that unary calls may take")]
    if given is not None:
        limits = [(seconds(given), f"spec.gateway.timeouts.request, {given}")]
    for method in gateway.methods or ():
        if method.timeouts is not None and method.timeouts.request is not None:
            named = f"the limit of {method.service}/{method.method}, {method.timeouts.request}"
            limits.append((seconds(method.timeouts.request), named))
    return max(limits)


def _measured(service: GrpcService, found: _Found) -> Iterator[Finding]:
    if service.spec.metrics is None and service.spec.gateway is None:
        yield found(
            "GS108",
            "spec",
            "nothing measures the calls: the server has no metrics, and no gateway is before it",
            "Let an interceptor count calls, serve the numbers, and set spec.metrics.port.",
        )


def _browsers(gateway: Gateway, descriptor: Descriptor | None, found: _Found) -> Iterator[Finding]:
    if gateway.cors is None:
        return
    protocols = gateway.protocols or ("GRPC", "GRPCWeb", "REST")
    if not {"GRPCWeb", "REST"} & set(protocols):
        yield found(
            "GS101",
            "spec.gateway.protocols",
            "cors is set for web pages, but browsers cannot call gRPC",
            "Add GRPCWeb or REST to protocols.",
        )
        return
    streams = [
        f"{service.name}/{method.name}"
        for service in (descriptor.services if descriptor else ())
        for method in service.methods
        if method.kind in {"ClientStreaming", "Bidirectional"}
        and not ("REST" in protocols and method.bindings)
    ]
    if streams:
        yield found(
            "GS101",
            "spec.gateway.cors",
            f"web pages cannot call {_named(streams)}: gRPC-Web has no streams from the client",
            "Offer a unary or server-streaming method for browsers, or a google.api.http rule.",
        )


def _policies(gateway: Gateway) -> Iterator[tuple[str, Gateway | MethodPolicy]]:
    yield "spec.gateway", gateway
    for each in gateway.methods or ():
        yield f"spec.gateway.methods[{each.service}/{each.method}]", each


def _deadlines(gateway: Gateway, _: Descriptor | None, found: _Found) -> Iterator[Finding]:
    for field, policy in _policies(gateway):
        timeouts = policy.timeouts or Timeouts()
        if timeouts.request is not None and not seconds(timeouts.request):
            yield found(
                "GS103",
                f"{field}.timeouts.request",
                "0s: unary calls may take as long as they like",
                "Set the longest time that a call may take, such as 30s.",
            )


def _retries(gateway: Gateway, descriptor: Descriptor | None, found: _Found) -> Iterator[Finding]:
    for field, policy in _policies(gateway):
        retry = policy.retry or Retry()
        if retry.attempts == 0:
            yield found(
                "GS104",
                f"{field}.retry.attempts",
                "0: a call fails even if it provably never reached a server",
                "Remove the field: by default only such calls and idempotent methods are sent"
                " again.",
            )
        timeouts = policy.timeouts or Timeouts()
        limit = timeouts.request or gateway.timeouts.request
        if retry.per_try_timeout and limit and 0 < seconds(limit) <= seconds(retry.per_try_timeout):
            yield found(
                "GS104",
                f"{field}.retry.perTryTimeout",
                f"{retry.per_try_timeout}: the call ends by its limit, {limit}, before it could"
                " be sent again",
                "Set a part of the limit, such as a third.",
            )
        if retry.codes and retry.attempts != 0:
            yield from _of_codes(gateway, field, policy, descriptor, found)


def _of_codes(
    gateway: Gateway,
    field: str,
    policy: Gateway | MethodPolicy,
    descriptor: Descriptor | None,
    found: _Found,
) -> Iterator[Finding]:
    """Yields that calls are sent again which may have changed something."""
    own = {(each.service, each.method) for each in gateway.methods or () if each.retry is not None}

    def holds(service: str, method: str) -> bool:
        if isinstance(policy, MethodPolicy):
            return service == policy.service and policy.method in (ALL, method)
        return not own & {(service, method), (service, ALL)}

    methods = [
        f"{service.name}/{method.name}"
        for service in (descriptor.services if descriptor else ())
        for method in service.methods
        if method.kind == "Unary" and not method.idempotent and holds(service.name, method.name)
    ]
    unknown = descriptor is None and not isinstance(policy, MethodPolicy)
    if methods or unknown:
        which = _named(methods) if methods else "every method"
        yield found(
            "GS104",
            f"{field}.retry.codes",
            f"calls of {which} are sent again though they may have changed something",
            "Declare idempotency_level in the .proto where it is safe to repeat a call, and set"
            " codes for these methods alone.",
        )


def _sizes(gateway: Gateway, _: Descriptor | None, found: _Found) -> Iterator[Finding]:
    if gateway.max_message_bytes > _GRPC_LIMIT:
        yield found(
            "GS105",
            "spec.gateway.maxMessageBytes",
            f"{gateway.max_message_bytes}: gRPC servers refuse messages of more than 4 MiB unless"
            " their own limit was raised",
            "Send pages or a stream.",
        )


def _streams(gateway: Gateway, _: Descriptor | None, found: _Found) -> Iterator[Finding]:
    for field, policy in _policies(gateway):
        timeouts = policy.timeouts or Timeouts()
        longest = timeouts.max_stream_duration or gateway.timeouts.max_stream_duration
        if timeouts.stream_idle is None or seconds(timeouts.stream_idle):
            continue
        if longest is None or not seconds(longest):
            yield found(
                "GS106",
                f"{field}.timeouts.streamIdle",
                "0s: a stream whose client is gone, or reads nothing, stays for ever",
                "Set a time without messages, or maxStreamDuration.",
            )


def _reflection(gateway: Gateway, _: Descriptor | None, found: _Found) -> Iterator[Finding]:
    if "Reflection" in (gateway.expose or ()):
        yield found(
            "GS107",
            "spec.gateway.expose",
            "Reflection: everybody who reaches the gateway sees every method and message",
            "Remove Reflection; grpcop call has the descriptor from the cluster.",
        )


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
