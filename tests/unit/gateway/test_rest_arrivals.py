"""Which bodies each REST path takes, by the order of the routes in a REST scope."""

from collections.abc import Sequence

from envoy.config.route.v3 import route_components_pb2 as route
from xds.type.v3 import typed_struct_pb2

from grpc_operator.descriptor.model import Binding, Kind
from grpc_operator.gateway.envoy import resource_names, rest_arrivals
from grpc_operator.gateway.ir import Api, Method, Policy

POLICY = Policy(None, None, None, None)


def test_usual_bodies_have_one_route() -> None:
    """The module limits them to JSON, as long as nothing says otherwise."""
    (made,) = _build([_method("/v1/things"), _method("/v1/things/*")])

    assert (_path(made), _body(made)) == ("/", None)


def test_raw_body() -> None:
    """A raw path takes anything; JSON paths that it would match go before it."""
    raw, json = _method("/v1/things/*", raw=True), _method("/v1/things/one")
    stream = _method("/v1/*", kind="ClientStreaming")

    made = _build([raw, json, stream])

    assert [(_path(each), _body(each)) for each in made] == [
        ("/v1/things/one/*", None),
        ("/v1/things/[^/]+/*", "any_body"),
        ("/v1/[^/]+/*", "largest_message"),
        ("/", None),
    ]


def _build(methods: Sequence[Method]) -> list[route.Route]:
    return rest_arrivals.build("a", [Api("p.A", tuple(methods), POLICY)], 1 << 20)


def _method(path: str, *, kind: Kind = "Unary", raw: bool = False) -> Method:
    head, _, verb = path.removeprefix("/").partition(":")
    binding = Binding("POST", path, tuple(head.split("/")), verb, body="*", raw_body=raw)
    return Method(path, kind, POLICY, (binding,))


def _path(of: route.Route) -> str:
    return str(of.match.safe_regex.regex or of.match.prefix)


def _body(of: route.Route) -> str | None:
    """Returns what the module knows of the body."""
    if resource_names.REST_REQUESTS not in of.typed_per_filter_config:
        return None
    found = typed_struct_pb2.TypedStruct()
    of.typed_per_filter_config[resource_names.REST_REQUESTS].Unpack(found)
    return str(found.value["filter_name"])
