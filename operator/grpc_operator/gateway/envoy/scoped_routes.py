"""Scoped routes: the listener and the first segment of the path select a route table.

So a change of one service makes Envoy parse that service's tables again, and no descriptor but
its own. The same header redirects a REST request to the REST scope of its service.
"""

from envoy.config.common.mutation_rules.v3 import mutation_rules_pb2
from envoy.config.core.v3 import base_pb2, extension_pb2
from envoy.config.route.v3 import scoped_route_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2

from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.envoy.protobuf import ads, pack
from grpc_operator.gateway.ir import Listener

_EARLY_MUTATION = "envoy.http.early_header_mutation.header_mutation"

_HEADER = resource_names.SCOPE_HEADER

_SELECT_REST_SCOPE = f"""\
function envoy_on_request(handle)
  local service = handle:streamInfo():routeName()
  if service ~= "" then
    handle:headers():replace("{_HEADER}", "{resource_names.REST_SCOPE}/" .. service)
  end
end
"""
"""A changed header makes Envoy select scope and route again. The route's name is the service."""


def scoped_routes(listener: Listener) -> hcm.ScopedRoutes:
    """Returns how a listener finds the route table of a request: by the keys of the header."""
    builder = hcm.ScopedRoutes.ScopeKeyBuilder(fragments=[_fragment(0), _fragment(1)])
    return hcm.ScopedRoutes(
        name=listener.name,
        scope_key_builder=builder,
        rds_config_source=ads(),
        scoped_rds=hcm.ScopedRds(scoped_rds_config_source=ads()),
    )


def header(listener: Listener) -> extension_pb2.TypedExtensionConfig:
    """Returns what sets the header of a new request, and removes what only Envoy may set."""
    value = base_pb2.HeaderValueOption(
        header=base_pb2.HeaderValue(key=_HEADER, value=f"{listener.name}%PATH(NQ:PATH)%"),
        append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    mutation = mutation_rules_pb2.HeaderMutation
    mutations = [
        *(mutation(remove=name) for name in resource_names.ORIGINAL),
        mutation(append=value),
    ]
    return extension_pb2.TypedExtensionConfig(
        name=_EARLY_MUTATION,
        typed_config=pack(header_mutation_pb2.HeaderMutation(mutations=mutations)),
    )


def script() -> lua_pb2.Lua:
    """Returns the script that redirects a request; only tables with REST routes run it."""
    return lua_pb2.Lua(
        source_codes={
            resource_names.SELECT_REST_SCOPE: base_pb2.DataSource(inline_string=_SELECT_REST_SCOPE)
        }
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
