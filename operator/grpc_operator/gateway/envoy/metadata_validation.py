"""The script that refuses metadata which a server could not parse (docs/adr/0022).

All clients share the connections to a server, and gRPC's core keeps what it could not parse with
the name of the header, for the connection: whoever sends that header next gets the error, too. A
script, because any name may be that of binary metadata, and no matcher of Envoy compares headers
whose names it does not know.
"""

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.http.lua.v3 import lua_pb2

from grpc_operator.gateway.envoy import resource_names, response_notes
from grpc_operator.gateway.envoy.protobuf import pack

REFUSES_MALFORMED = f"""\
local function is_base64(value)
  local digits, padding = value:match("^([A-Za-z0-9+/]*)(=*)$")
  if not digits or #digits % 4 == 1 then
    return false
  end
  return padding == "" or #padding == -#digits % 4
end

local compressions = {{identity = true, deflate = true, gzip = true}}

local function problem_of_timeout(value)
  return not (#value < 10 and value:find("^%d+[HMSmun]$")) and "it must be like 100m"
end

local problems = {{
  ["grpc-timeout"] = problem_of_timeout,
  ["{resource_names.TIMEOUT_HEADER}"] = problem_of_timeout,
  ["grpc-encoding"] = function(value)
    return not compressions[value] and "it must be identity, deflate or gzip"
  end,
  ["grpc-previous-rpc-attempts"] = function(value)
    return not (#value < 10 and value:find("^%d+$")) and "it must be a number"
  end,
}}
local unsupported = {{}}
local known = 0

local function problem_of(name)
  local found = problems[name]
  if found == nil then
    if name:sub(-4) == "-bin" then
      found = function(value) return not is_base64(value) and "it must be base64" end
    elseif name:find("^:?[0-9a-z_.-]+$") then
      found = false
    else
      return function() return "it is not the name of metadata" end
    end
    if known < 256 then
      problems[name], known = found, known + 1
    end
  end
  return found
end

local function refuses_malformed(handle)
  for name, value in pairs(handle:headers()) do
    local problem = problem_of(name)
    local found = problem and problem(value)
    if found then
      name = name == "{resource_names.TIMEOUT_HEADER}" and "grpc-timeout" or name
      local status, kind = "400", "malformed "
      if unsupported[name] then
        status, kind = "501", "unsupported "
        local response = handle:streamInfo():dynamicMetadata()
        response:set("{resource_names.RESPONSE}", "{response_notes.STATUS}", "Unimplemented")
      end
      handle:respond({{[":status"] = status}}, kind .. name .. ": " .. found)
      return true
    end
  end
  return false
end

"""
"""Lua that defines the function of this name (grpc/grpc, PROTOCOL-HTTP2.md; gRFC A6).

It remembers what it has found out about the first names: most of its time goes into names."""

OF_GRPC = """\
problems[":method"] = function(value)
  return value ~= "POST" and "it must be POST"
end
unsupported[":method"], unsupported["grpc-encoding"] = true, true
"""
"""Lua that makes ``refuses_malformed`` refuse other HTTP methods (grpc/grpc, PROTOCOL-HTTP2.md).

Unlike other malformed metadata, an unknown compression is UNIMPLEMENTED (compression.md)."""

SCRIPT = f"""\
{REFUSES_MALFORMED}{OF_GRPC}
function envoy_on_request(handle)
  refuses_malformed(handle)
end
"""


def enable(on: route.Route) -> None:
    """Makes the requests of a route pass the script."""
    script = lua_pb2.LuaPerRoute(name=resource_names.VALIDATE_METADATA)
    on.typed_per_filter_config[resource_names.LUA].CopyFrom(pack(script))
