"""The routes of a virtual host, behind a matcher (``VirtualHost.matcher``).

Envoy keeps the message of a route table as long as the table, for ``/config_dump``. Parsed routes
take several times their serialised size; those in the ``Any`` of a matcher's action stay as they
came (docs/adr/0064). Everything here is bytes, because most of it is made once and joined again
whenever a service on the same host changes.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf.any_pb2 import Any
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2

from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.envoy.protobuf import embedded, pack, serialised

_CACHED = 4096
"""Entries of maps that are cached, at about 400 bytes each: a change of one leaves the others."""

_ACTION = "routes"
_ROUTE_LIST = f"type.googleapis.com/{route.RouteList.DESCRIPTOR.full_name}"

_Matcher = matcher_pb2.Matcher
_OnMatch = _Matcher.OnMatch
_Tree = _Matcher.MatcherTree
_Map = _Tree.MatchMap
_MAP_KEY, _MAP_VALUE = 1, 2
"""Numbers of the fields of an entry of any map (protobuf encoding, "Maps")."""


def joined(routes: Iterable[route.Route]) -> bytes:
    """Returns routes as bytes of a list; joined bytes are the joined lists."""
    return serialised(route.RouteList(routes=routes))


def in_order(routes: bytes) -> bytes:
    """Returns a serialised virtual host with nothing but routes, of which the first match counts.

    Args:
        routes: A list of ``joined``; no request is answered if it is empty.
    """
    return _of_virtual_host(_otherwise(_list(routes))) if routes else b""


def by_prefix(refused: bytes, starts: Mapping[str, bytes], others: bytes) -> bytes:
    """Returns a serialised virtual host with nothing but routes, found by the longest prefix.

    A request takes as long to find its route among a thousand of these as among ten.

    Args:
        refused: Routes of requests that the module calls malformed.
        starts: Routes by the beginning of the path, at least one; each of these lists has a route
            for every request with that beginning.
        others: Routes of requests that begin in another way.
    """
    map_ = b"".join(_entry(path, starts[path]) for path in sorted(starts))
    tree = _PATH + embedded(_Tree.PREFIX_MATCH_MAP_FIELD_NUMBER, map_)
    matcher = embedded(_Matcher.MATCHER_TREE_FIELD_NUMBER, tree)
    if others:
        matcher += _otherwise(_list(others))
    serves = embedded(_OnMatch.MATCHER_FIELD_NUMBER, matcher)
    return _of_virtual_host(_refusing(refused) + _otherwise(serves))


def _refusing(refused: bytes) -> bytes:
    """Returns what has malformed requests refused, of which the header always has two words."""
    made = _Matcher()
    one = made.matcher_list.matchers.add()
    predicate = one.predicate.single_predicate
    predicate.input.CopyFrom(_header(resource_names.MALFORMED_HEADER))
    predicate.value_match.contains = " "
    one.on_match.MergeFromString(_list(refused))
    return serialised(made)


def _header(name: str) -> extension_pb2.TypedExtensionConfig:
    source = http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=name)
    return extension_pb2.TypedExtensionConfig(name="header", typed_config=pack(source))


@lru_cache(maxsize=_CACHED)
def _entry(path: str, routes: bytes) -> bytes:
    entry = embedded(_MAP_KEY, path.encode()) + embedded(_MAP_VALUE, _list(routes))
    return embedded(_Map.MAP_FIELD_NUMBER, entry)


def _list(routes: bytes) -> bytes:
    """Returns what selects among routes, as a serialised ``OnMatch``."""
    packed = _TYPE + embedded(Any.VALUE_FIELD_NUMBER, routes)
    number = extension_pb2.TypedExtensionConfig.TYPED_CONFIG_FIELD_NUMBER
    return embedded(_OnMatch.ACTION_FIELD_NUMBER, _NAME + embedded(number, packed))


def _otherwise(on_match: bytes) -> bytes:
    return embedded(_Matcher.ON_NO_MATCH_FIELD_NUMBER, on_match)


def _of_virtual_host(matcher: bytes) -> bytes:
    return embedded(route.VirtualHost.MATCHER_FIELD_NUMBER, matcher)


_NAME = serialised(extension_pb2.TypedExtensionConfig(name=_ACTION))
_TYPE = serialised(Any(type_url=_ROUTE_LIST))
_PATH = serialised(_Tree(input=_header(":path")))
