"""Strings that have broken others, where they could be put, and the structure they must not change.

Among them the payloads of ingress-nginx (CVE-2021-25742, CVE-2025-1097, CVE-2025-24514,
CVE-2026-24512), of Envoy Gateway's text access log (CVE-2025-25294), what YAML reads as something
else, and what Envoy's formatters replace.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.json_format import MessageToDict

from grpc_operator.descriptor.model import Binding, Descriptor, Method, Service
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import ir, rest_rules
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.snapshot import LISTENER, Snapshot
from tests.unit.gateway import GATEWAY, service

BINDING = Binding("GET", "/v1/things/{id}", ("v1", "things", "*"))

STRINGS = (
    "",
    " ",
    "n",
    "no",
    "on",
    "y",
    "null",
    "~",
    "true",
    "1e3",
    "0x10",
    "010",
    ".inf",
    "1:20",
    "2026-01-01",
    "*",
    "**",
    "*.*",
    "*a.com",
    "a.*",
    "-",
    "--",
    ".",
    "..",
    "../../etc/passwd",
    "/",
    "//",
    "/..",
    "/%2e%2e/",
    "/%00",
    "%00",
    "%",
    "%%",
    "%PATH(NQ)%",
    "%REQ(:PATH)%",
    "%REQ(x)%",
    "%REQ(AUTHORIZATION)%",
    "%DYNAMIC_METADATA(a:b)%",
    "%FILE_CONTENT(/etc/passwd)%",
    "%ENVIRONMENT(PATH)%",
    "%LOCAL_REPLY_BODY%",
    "{{",
    "{{ 7*7 }}",
    "{% raw %}",
    "${PATH}",
    "$(PATH)",
    "`id`",
    "#comment",
    "a: b",
    "- a",
    "? a",
    "&a",
    "*a",
    "!!python/object/apply:os.system [id]",
    "!binary aWQ=",
    "|",
    ">",
    "@",
    "'",
    '"',
    "\\",
    "'\"\\",
    '{"a": 1}',
    "[1]",
    '","injected":"yes',
    '"}\n{"injected":"yes"}',
    "a\nb: c",
    "a\r\nx-injected: yes",
    "\r\n\r\n",
    "a\x00b",
    "\x00",
    "\x1b[31m",
    "\x7f",
    "\ufeff",
    "\u2028",
    "\u202ea",
    "\u0430pple.com",
    "a\u3002com",
    "xn--a",
    "\U0001f600",
    "e\u0301",
    "a" * 254,
    "a." * 200,
    "/a" * 2000,
    "a/b",
    "a~b",
    "~rest",
    "~rest/shop~users",
    "a|b",
    "a,b",
    "a;b",
    "a b",
    "a\tb",
    ".*",
    "^.*$",
    "(a+)+$",
    "[",
    "\\Q",
    "(?i)a",
    "{name=**}",
    "{",
    "}",
    "a:b",
    ":path",
    "host",
    "x-envoy-original-path",
    "x-grpc-operator-scope",
    "'; DROP TABLE x; --",
    "<script>",
    "/x;}location=/y{return 200;}",
    "/x\n}\nserver{listen 1;}",
    "http://x#;\nssl_engine ../../../../../../proc/1/fd/1;\n#",
    'a"; proxy_pass http://169.254.169.254; #',
    "end os.execute('id') --",
    "]] os.execute('id') --",
    "handle:headers():replace('a','b')",
    "type.googleapis.com/envoy.config.listener.v3.Listener",
    "envoy.filters.http.lua",
    "__proto__",
    "constructor",
    "A" * 70000,
)


def _spec() -> dict[str, Any]:
    """Returns ``spec.gateway`` with every field that takes a string."""
    return {
        "hostnames": ["a.example.com"],
        "expose": ["Health"],
        "cors": {
            "allowOrigins": ["https://*.example.com"],
            "allowHeaders": ["x-a"],
            "exposeHeaders": ["x-b"],
            "maxAge": "1h",
        },
        "timeouts": {"request": "1s", "streamIdle": "2s", "maxStreamDuration": "3s"},
        "retry": {"codes": ["UNAVAILABLE"], "perTryTimeout": "1s"},
        "methods": [{"service": "a.v1.Service", "method": "Get", "timeouts": {"request": "4s"}}],
        "rest": {"prefixes": ["/v2/things"]},
    }


@dataclass(frozen=True)
class World:
    """Everything that a configuration is made of.

    Attributes:
        metadata: Arguments of ``service``.
        gateway: ``spec.gateway``.
        listener: Arguments of a listener.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    gateway: dict[str, Any] = field(default_factory=_spec)
    service: str = "a.v1.Service"
    method: str = "Get"
    binding: Binding = BINDING
    listener: dict[str, Any] = field(default_factory=dict)
    zone: str = "a"

    def snapshot(self) -> Snapshot:
        """Returns the configuration.

        Raises:
            InvalidSpecError: The operator refuses what it is made of.
            ValidationError: The API's models do.
        """
        method = Method(self.method, "Unary", bindings=(self.binding,))
        of = Descriptor(b"data", "", (Service(self.service, (method,)),))
        parsed = service(self.gateway, **self.metadata)
        assert parsed.spec.gateway is not None
        (served,) = rest_rules.served(parsed.spec.gateway, of.services)
        refused = [Problem("spec.descriptor", each.reason) for each in served.methods[0].refused]
        if refused:
            raise InvalidSpecError(refused)
        attachment = attach(parsed, of, GATEWAY.hosts.domain)
        listener = replace(ir.Listener("http", 10080), **self.listener)
        grant = ir.Grant("*", frozenset({attachment.key.namespace}))
        hosts = replace(GATEWAY.hosts, grants=(grant,))
        gateway = replace(GATEWAY, listeners=(listener,), hosts=hosts)
        endpoints = {attachment.cluster: (ir.Endpoint("10.0.0.1", 50051, zone=self.zone),)}
        builder = _builder(gateway)
        builder.build(gateway, [], {})
        snapshot, plan = builder.build(gateway, [attachment], endpoints)
        assert not plan.denied
        if plan.refused:
            raise InvalidSpecError([problem for of in plan.refused.values() for problem in of])
        return snapshot


@lru_cache
def _builder(gateway: ir.GatewayIr) -> SnapshotBuilder:
    """Returns the builder of a gateway: it need not make the same listener repeatedly."""
    return SnapshotBuilder()


def _in(*path: str | int) -> Callable[[str], World]:
    """Returns what puts a string into ``spec.gateway``."""

    def make(text: str) -> World:
        spec = _spec()
        inner: Any = spec
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = text
        return World(gateway=spec)

    return make


PLACES: dict[str, Callable[[str], World]] = {
    "name": lambda text: World(metadata={"name": text}),
    "namespace": lambda text: World(metadata={"namespace": text}),
    "creation time": lambda text: World(metadata={"created": text}),
    "host": _in("hostnames", 0),
    "exposed": _in("expose", 0),
    "origin": _in("cors", "allowOrigins", 0),
    "request header": _in("cors", "allowHeaders", 0),
    "response header": _in("cors", "exposeHeaders", 0),
    "age": _in("cors", "maxAge"),
    "timeout": _in("timeouts", "request"),
    "code": _in("retry", "codes", 0),
    "policy's service": _in("methods", 0, "service"),
    "policy's method": _in("methods", 0, "method"),
    "prefix": _in("rest", "prefixes", 0),
    "gRPC service": lambda text: World(service=text, gateway=_spec() | {"methods": []}),
    "gRPC method": lambda text: World(method=text, gateway=_spec() | {"methods": []}),
    "verb": lambda text: World(binding=replace(BINDING, verb=text)),
    "template": lambda text: World(binding=replace(BINDING, template=text)),
    "first segment": lambda text: World(binding=replace(BINDING, segments=(text, "b", "*"))),
    "segment": lambda text: World(binding=replace(BINDING, segments=("v1", text, "*"))),
    "custom verb": lambda text: World(binding=replace(BINDING, custom_verb=text)),
    "body": lambda text: World(binding=replace(BINDING, body=text)),
    "listener": lambda text: World(listener={"name": text}),
    "listener's host": lambda text: World(listener={"hostname": text}),
    "zone": lambda text: World(zone=text),
}
"""Where a string can come from outside."""


def shared_segment(prefix: str, *, segment: str) -> World:
    """Returns a service whose name is also the first segment of one of its REST paths.

    Args:
        prefix: The prefix that it claims.
        segment: First segment of its binding.
    """
    gateway = _spec() | {"methods": [], "rest": {"prefixes": [prefix]}}
    binding = replace(BINDING, segments=(segment, *BINDING.segments[1:]))
    return World(service="shared", gateway=gateway, binding=binding)


TAKES_ALL = frozenset({"creation time", "template", "body", "zone"})
"""Places where nothing is refused: what is put there is content of a message, or in no message."""


def everywhere(text: str) -> World:
    """Puts a string into every place of ``TAKES_ALL``."""
    binding = replace(BINDING, template=text, body=text)
    return World(metadata={"created": text}, binding=binding, zone=text)


def structure(snapshot: Snapshot) -> list[str]:
    """Returns everything but strings, numbers and names: fields, lengths of lists, types."""
    return sorted(
        f"{type_url} {_shape_of(resource.body.SerializeToString())}"
        for type_url, named in snapshot.resources.items()
        for resource in named.values()
    )


def formats(snapshot: Snapshot) -> list[str]:
    """Returns every text in which Envoy replaces something, the listener's name apart."""
    (resource,) = snapshot.resources[LISTENER].values()
    return _formats_of(resource.body.SerializeToString())


@lru_cache
def _formats_of(listener: bytes) -> list[str]:
    content = _content(listener)
    name = content["filterChains"][0]["filters"][0]["typedConfig"]["statPrefix"]
    return sorted(text.removeprefix(name) for text in _texts(content) if "%" in text)


@lru_cache
def _shape_of(packed: bytes) -> str:
    """Returns the shape of a resource; most of them are repeated."""
    return str(_shape(_content(packed)))


def _content(packed: bytes) -> Any:
    return MessageToDict(Packed.FromString(packed))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        fields = sorted(value.items())
        return {key: each if key == "@type" else _shape(each) for key, each in fields}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return type(value).__name__


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    children = value.values() if isinstance(value, dict) else value
    for child in children if isinstance(value, (dict, list)) else ():
        yield from _texts(child)
