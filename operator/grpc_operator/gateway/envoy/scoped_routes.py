"""Scoped routes: the listener and the first segment of the path select a route table.

So a change of one service makes Envoy parse that service's tables again, and no descriptor but
its own. The same header redirects a REST request to the REST scope of its service.
"""

from envoy.config.route.v3 import scoped_route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)

from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.envoy.protobuf import ads
from grpc_operator.gateway.ir import Listener

_HEADER = resource_names.SCOPE_HEADER


def scoped_routes(listener: Listener) -> hcm.ScopedRoutes:
    """Returns how a listener finds the route table of a request: by the keys of the header."""
    builder = hcm.ScopedRoutes.ScopeKeyBuilder(fragments=[_fragment(0), _fragment(1)])
    return hcm.ScopedRoutes(
        name=listener.name,
        scope_key_builder=builder,
        rds_config_source=ads(),
        scoped_rds=hcm.ScopedRds(scoped_rds_config_source=ads()),
    )


def scope(first: str, segment: str) -> scoped_route_pb2.ScopedRouteConfiguration:
    """Returns the scope of one route table."""
    name = resource_names.table(first, segment)
    fragment = scoped_route_pb2.ScopedRouteConfiguration.Key.Fragment
    return scoped_route_pb2.ScopedRouteConfiguration(
        name=name,
        route_configuration_name=name,
        key=scoped_route_pb2.ScopedRouteConfiguration.Key(
            fragments=[fragment(string_key=first), fragment(string_key=segment)]
        ),
    )


def _fragment(index: int) -> hcm.ScopedRoutes.ScopeKeyBuilder.FragmentBuilder:
    builder = hcm.ScopedRoutes.ScopeKeyBuilder.FragmentBuilder
    return builder(
        header_value_extractor=builder.HeaderValueExtractor(
            name=_HEADER, element_separator="/", index=index
        )
    )
