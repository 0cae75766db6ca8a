"""The script that notes what a response says, for the access log, and makes 405 of 404.

A filter on the side of the server: on the way to the client, the transcoder replaces the status of
a call by an HTTP status, and the filter of gRPC-Web moves it into the body. What has no status at
all comes from the gateway itself.
"""

from google.rpc import code_pb2

from grpc_operator.gateway.envoy import (
    allowed_verbs,
    compressed_responses,
    local_reply_texts,
    resource_names,
)

STATUS = "grpc_status"

NAMES = {
    str(value.number): "".join(word.capitalize() for word in value.name.split("_"))
    for value in code_pb2.Code.DESCRIPTOR.values
} | {"0": "OK", "1": "Canceled"}
"""Names of status codes by number, as Envoy writes them (``%GRPC_STATUS(CAMEL_STRING)%``)."""

_TABLE = ", ".join(f'["{code}"] = "{name}"' for code, name in NAMES.items())

SCRIPT = f"""\
{allowed_verbs.SCRIPT}
local names = {{{_TABLE}}}

{compressed_responses.REFUSES_COMPRESSED}local function explain_verbs(handle, headers)
  local request = handle:streamInfo():dynamicMetadata():get("{resource_names.REST_REQUEST}")
  if not request then
    return
  end
  local verbs = allowed_verbs(handle:virtualHost():metadata(), request.method, request.path)
  if not verbs then
    return
  end
  headers:replace(":status", "405")
  headers:replace("allow", verbs)
  headers:replace("grpc-status", "12")
  local body = handle:body()
  if body then
    local text = body:getBytes(0, body:length())
    text = text:gsub('"code":5', '"code":12', 1)
    body:setBytes((text:gsub("{local_reply_texts.NOTHING}", "this path has " .. verbs, 1)))
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get("grpc-status")
  if headers:get(":status") == "404" then
    return explain_verbs(handle, headers)
  end
  if not status then
    refuse_compressed(handle, headers)
  end
  if not status then
    local trailers = handle:trailers()
    status = trailers and trailers:get("grpc-status")
  end
  if status then
    local response = handle:streamInfo():dynamicMetadata()
    response:set("{resource_names.RESPONSE}", "{STATUS}", names[status] or "InvalidCode")
  end
end
"""
