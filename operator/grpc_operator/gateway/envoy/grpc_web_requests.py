"""gRPC-Web requests as Envoy's filter knows them, whatever headers a client writes or leaves out.

The filter compares content types byte by byte, while letters have no case and parameters may follow
(RFC 9110, 8.3.1). It decodes base64 as it arrives, and holds back what is not a multiple of four
bytes. The router would then get a second time what it has kept for a retry (``addDecodedData``),
and the server would get other bytes than the client sent: so calls in base64 are never retried.
Formats that the filter does not know, such as ``+json``, are left to servers that speak gRPC-Web.
"""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.http.lua.v3 import lua_pb2

from grpc_operator.gateway.envoy import (
    compressed_responses,
    header_matchers,
    resource_names,
)
from grpc_operator.gateway.envoy.protobuf import pack

_NO_RETRIES = "x-envoy-max-retries"
"""The router removes it, and clients cannot send it (``client_headers``)."""

_PREPARES = f"""\
{compressed_responses.NOTES_ACCEPTED}local text = {{
  ["application/grpc-web"] = false,
  ["application/grpc-web+proto"] = false,
  ["application/grpc-web-text"] = true,
  ["application/grpc-web-text+proto"] = true,
}}

local function media_type(value)
  return value:match("^[^;]*"):gsub("%s+$", ""):lower()
end

local function prepare(handle)
  local headers = handle:headers()
  local given = headers:get("content-type")
  local kind = given
  if text[kind] == nil and text[media_type(given)] ~= nil then
    kind = media_type(given)
    headers:replace("content-type", kind)
  end
  local accepted = headers:get("accept")
  if accepted and text[accepted] == nil and text[media_type(accepted)] ~= nil then
    headers:replace("accept", media_type(accepted))
  end
  if text[kind] then
    headers:replace("{_NO_RETRIES}", "0")
  end
  note_accepted(handle, headers)
  if not headers:get("x-grpc-web") then
    headers:replace("x-grpc-web", "1")
  end
end

"""
"""Lua that defines ``prepare``. What it changes makes Envoy select the route again: the same."""

SCRIPT = f"""\
{_PREPARES}function envoy_on_request(handle)
  prepare(handle)
end
"""


def enable(on: route.Route) -> None:
    """Has the requests of a gRPC-Web route prepared.

    Args:
        on: A route to a cluster.
    """
    script = pack(lua_pb2.LuaPerRoute(name=resource_names.PREPARE_GRPC_WEB))
    on.typed_per_filter_config[resource_names.LUA].CopyFrom(script)
    if on.route.HasField("retry_policy"):
        on.route.retry_policy.retriable_request_headers.append(header_matchers.absent(_NO_RETRIES))
