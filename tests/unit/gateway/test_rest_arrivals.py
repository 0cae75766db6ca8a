"""Which bodies each REST path takes, by the order of the routes in a REST scope."""

from collections.abc import Sequence

from envoy.config.route.v3 import route_components_pb2 as route

from grpc_operator.descriptor.model import Binding, Kind
from grpc_operator.gateway.envoy import rest_arrivals
from grpc_operator.gateway.ir import Api, Method, Policy

REFUSALS = 3
POLICY = Policy(None, None, None, None)


def test_refusals_once() -> None:
    """However many paths take streams of JSON, other bodies are refused once for all of them."""
    streams = [
        _method(f"/v1/things/*:stream{number}", kind="ClientStreaming") for number in range(9)
    ]

    made = _build(streams)

    assert [each.match.prefix for each in made[:REFUSALS]] == ["/"] * REFUSALS
    assert [_is_refusal(each) for each in made] == [True] * REFUSALS + [False] * 10


def test_raw_body() -> None:
    """A raw path takes anything; JSON paths that it would match go before it, with refusals."""
    raw, json = _method("/v1/things/*", raw=True), _method("/v1/things/one")
    stream = _method("/v1/*", kind="ClientStreaming")

    made = _build([raw, json, stream])

    assert [_path(each) for each in made] == [
        *["/v1/things/one/*"] * (REFUSALS + 1),
        "/v1/things/[^/]+/*",
        *["/"] * REFUSALS,
        "/v1/[^/]+/*",
        "/",
    ]


def _build(methods: Sequence[Method]) -> list[route.Route]:
    return rest_arrivals.build("a", [Api("p.A", tuple(methods), POLICY)], 1 << 20)


def _method(path: str, *, kind: Kind = "Unary", raw: bool = False) -> Method:
    head, _, verb = path.removeprefix("/").partition(":")
    binding = Binding("POST", path, tuple(head.split("/")), verb, body="*", raw_body=raw)
    return Method(path, kind, POLICY, (binding,))


def _path(of: route.Route) -> str:
    return str(of.match.safe_regex.regex or of.match.prefix)


def _is_refusal(of: route.Route) -> bool:
    return bool(of.HasField("direct_response"))
