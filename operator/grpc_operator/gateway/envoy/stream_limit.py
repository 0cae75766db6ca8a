"""The size of each JSON message in a stream of requests: what the transcoder does not limit.

It parses a message as it arrives, and holds it until it is complete, uncounted. So a script counts
the bytes between the ends of messages: elements of the array that a stream is, or whole values
where it is none. A message that is too large goes on with a byte that no JSON has, so that the
transcoder ends the request: ``is_too_large``.
"""

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2
from envoy.type.matcher.v3 import metadata_pb2, value_pb2
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import BoolValue

from grpc_operator.gateway.envoy import resource_names

_FIELD, _FOUND = "largest_message", "message_too_large"

SCRIPT = f"""\
local function too_large(scan, text)
  local at = scan.skip + 1
  scan.skip = 0
  while true do
    if scan.text then
      at = text:find('["\\\\\\\\]', at)
      if not at then break end
      if text:byte(at) == 92 then
        if at == #text then scan.skip = 1 end
        at = at + 1
      else
        scan.text = false
      end
    else
      at = text:find('["%[%]{{}}]', at)
      if not at then break end
      local byte = text:byte(at)
      if byte == 34 then
        scan.text = true
      elseif byte == 91 or byte == 123 then
        if scan.depth == 0 then scan.outer = byte == 91 and 1 or 0 end
        scan.depth = scan.depth + 1
      else
        scan.depth = scan.depth - 1
        if scan.depth <= scan.outer then
          if scan.size + at > scan.limit then return true end
          scan.size = -at
        end
      end
    end
    at = at + 1
  end
  scan.size = scan.size + #text
  return scan.size > scan.limit
end

local function limit_messages(handle)
  local limit = handle:metadata():get("{_FIELD}")
  if not limit then return end
  local scan = {{limit = limit, size = 0, depth = 0, outer = 0, skip = 0, text = false}}
  local over = false
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      over = over or too_large(scan, chunk:getBytes(0, length))
      if over then
        handle:streamInfo():dynamicMetadata():set("{resource_names.LUA}", "{_FOUND}", true)
        chunk:setBytes("\\0")
      end
    end
  end
end
"""
"""Defines ``limit_messages``, which the script that selects the REST scope calls at its end."""


def metadata(limit: int) -> base_pb2.Metadata:
    """Returns the metadata of a route whose streams are limited.

    Args:
        limit: Largest message in bytes.
    """
    fields = Struct()
    fields.update({_FIELD: limit})
    return base_pb2.Metadata(filter_metadata={resource_names.LUA: fields})


def is_too_large() -> accesslog_pb2.AccessLogFilter:
    """Returns what matches the requests that the script has ended."""
    matcher = metadata_pb2.MetadataMatcher(
        filter=resource_names.LUA,
        path=[metadata_pb2.MetadataMatcher.PathSegment(key=_FOUND)],
        value=value_pb2.ValueMatcher(bool_match=True),
    )
    return accesslog_pb2.AccessLogFilter(
        metadata_filter=accesslog_pb2.MetadataFilter(
            matcher=matcher, match_if_key_not_found=BoolValue(value=False)
        )
    )
