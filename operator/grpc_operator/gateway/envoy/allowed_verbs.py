"""Which verbs a REST path has: for 405 and ``Allow`` (RFC 9110, sections 10.2.1 and 15.5.6).

No route and no transcoder says so. Only when a request is refused, a script compares its path with
the patterns of the service, which are text in the metadata of a virtual host or a route.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from envoy.config.core.v3 import base_pb2
from google.protobuf.struct_pb2 import Struct

from grpc_operator.gateway import patterns
from grpc_operator.gateway.patterns import Pattern

_CUSTOM_VERBS = "custom_verbs"
_MAGIC = frozenset("^$()%.[]*+-?")
_ALL = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")

SCRIPT = f"""\
local function add_verbs(found, lines, custom, path)
  for verb, ending, pattern in (lines or ""):gmatch("(%S+) (:%S*) (%S+)\\n") do
    if ending == custom and not found[verb] and path:find(pattern) then
      found[verb] = true
      found[#found + 1] = verb
    end
  end
end

local function allowed_verbs(metadata, own, path)
  path = path:match("^[^?]*"):gsub("/+$", "")
  local verb = path:match(":([^/:]*)$")
  local known = metadata:get("{_CUSTOM_VERBS}") or ""
  local custom = verb and known:find(" " .. verb .. " ", 1, true) and ":" .. verb or ":"
  local _, segments = path:gsub("/", "")
  local found = {{}}
  add_verbs(found, metadata:get(tostring(segments)), custom, path .. "/")
  add_verbs(found, metadata:get("{patterns.REST}"), custom, path .. "/")
  if found["{patterns.ANY_VERB}"] then
    return own == "HEAD" and "{", ".join(_ALL)}" or nil
  end
  table.sort(found)
  return #found > 0 and not found[own] and table.concat(found, ", ") or nil
end
"""
"""Defines ``allowed_verbs``, which returns ``nil`` if the path has none, or that of the request."""


def metadata(of: Iterable[Pattern], filter_name: str) -> base_pb2.Metadata:
    """Returns the metadata in which the script looks patterns up.

    By the number of segments, so that a path is compared with few of them. The transcoder knows the
    custom verbs of a service, and reads no others as such.

    Args:
        of: Patterns of REST paths, each once.
        filter_name: The filter that runs the script.
    """
    lines: dict[str, list[str]] = defaultdict(list)
    verbs = set()
    for pattern in of:
        verb = _custom_verb(pattern)
        verbs.add(verb)
        for size, expression in _expressions(pattern):
            lines[size].append(f"{pattern.verb} :{verb} {expression}\n")
    fields = Struct()
    fields.update({size: "".join(sorted(each)) for size, each in sorted(lines.items())})
    fields.update({_CUSTOM_VERBS: f" {' '.join(sorted(verbs - {''}))} "})
    return base_pb2.Metadata(filter_metadata={filter_name: fields})


def _custom_verb(pattern: Pattern) -> str:
    head, _, verb = pattern.parts[-1].rpartition(":")
    return pattern.custom_verb or (verb if head else "")


def _expressions(pattern: Pattern) -> Iterator[tuple[str, str]]:
    """Yields numbers of segments and Lua patterns of a path that ends with a slash.

    Lua has no optional groups: where no segment at all may be left, that is a pattern of its own.
    """
    end = f":{_escaped(pattern.custom_verb)}" if pattern.custom_verb else ""
    parts = [_part(part) for part in pattern.parts]
    if patterns.REST not in pattern.parts:
        yield str(len(parts)), f"^{''.join(parts)}{end}/$"
        return
    at = pattern.parts.index(patterns.REST)
    without = "".join(parts[:at] + parts[at + 1 :])
    yield patterns.REST, f"^{without}{end}/$"
    yield patterns.REST, f"^{''.join(parts)}{end}/$"


def _part(part: str) -> str:
    if part == patterns.REST:
        return "/.*"
    return "/[^/]+" if part == patterns.ANY else f"/{_escaped(part)}"


def _escaped(text: str) -> str:
    return "".join(f"%{char}" if char in _MAGIC else char for char in text)
