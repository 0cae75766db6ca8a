"""Scoped routes: the listener and the first segment of the path select a route table.

So a change of one service makes Envoy parse that service's tables again, and no descriptor but
its own. The same header redirects a REST request to the REST scope of its service.
"""

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import scoped_route_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)

from grpc_operator.gateway.envoy import (
    allowed_verbs,
    grpc_web_requests,
    resource_names,
    stream_limit,
)
from grpc_operator.gateway.envoy.protobuf import ads
from grpc_operator.gateway.ir import Listener

_HEADER = resource_names.SCOPE_HEADER

_SELECT_REST_SCOPE = f"""\
{stream_limit.SCRIPT}
{allowed_verbs.SCRIPT}
function envoy_on_request(handle)
  local info = handle:streamInfo()
  local service = info:routeName()
  if service == "" then
    return
  end
  local headers = handle:headers()
  if service == "{resource_names.NO_METHOD}" then
    local verbs = allowed_verbs(handle:metadata(), headers:get(":method"), headers:get(":path"))
    if verbs then
      handle:respond({{[":status"] = "405", allow = verbs}}, "this path has " .. verbs)
    end
    return
  end
  if service == "{resource_names.SPLIT}" then
    service = handle:filterContext():get("{resource_names.CHOSEN_SCOPE}")
  end
  local request = info:dynamicMetadata()
  request:set("{resource_names.REST_REQUEST}", "method", headers:get(":method"))
  request:set("{resource_names.REST_REQUEST}", "path", headers:get(":path"):match("^[^?]*"))
  headers:replace("{_HEADER}", "{resource_names.REST_SCOPE}/" .. service)
  limit_messages(handle)
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


def scripts() -> lua_pb2.Lua:
    """Returns the script that redirects a request by REST, and those for gRPC and gRPC-Web."""
    sources = {
        resource_names.SELECT_REST_SCOPE: _SELECT_REST_SCOPE,
        resource_names.PREPARE_GRPC_WEB: grpc_web_requests.SCRIPT,
    }
    return lua_pb2.Lua(
        source_codes={
            name: base_pb2.DataSource(inline_string=text) for name, text in sources.items()
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
