"""Route tables of a snapshot as lists of routes, whatever leads to these."""

from envoy.config.route.v3 import route_components_pb2, route_pb2
from xds.type.matcher.v3 import matcher_pb2

from grpc_operator.gateway.snapshot import Resource


def table(resource: Resource) -> route_pb2.RouteConfiguration:
    """Returns a route table with lists of routes in place of matchers."""
    made = route_pb2.RouteConfiguration()
    assert resource.body.Unpack(made)
    for each in made.virtual_hosts:
        if each.HasField("matcher"):
            each.routes.extend(_routes(each.matcher))
            each.ClearField("matcher")
    return made


def _routes(matcher: matcher_pb2.Matcher) -> list[route_components_pb2.Route]:
    """Returns what a matcher leads to, as a request finds it: of prefixes the longest first."""
    ways = [each.on_match for each in matcher.matcher_list.matchers]
    by_prefix = matcher.matcher_tree.prefix_match_map.map
    ways += [by_prefix[path] for path in sorted(by_prefix, key=lambda path: (-len(path), path))]
    if matcher.HasField("on_no_match"):
        ways.append(matcher.on_no_match)
    return [each for way in ways for each in routes(way)]


def routes(way: matcher_pb2.Matcher.OnMatch) -> list[route_components_pb2.Route]:
    """Returns what one way through a matcher leads to."""
    if way.HasField("matcher"):
        return _routes(way.matcher)
    found = route_components_pb2.RouteList()
    assert way.action.typed_config.Unpack(found)
    return [*found.routes]
