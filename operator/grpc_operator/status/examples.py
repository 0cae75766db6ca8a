"""Example commands for the methods of a service, to be pasted into a shell as they are.

A tenant decides much of them: a REST path may have `$(...)` in it. So every word is quoted for a
POSIX shell. Where the address is only known inside the cluster, they forward a port first.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from grpc_operator import names
from grpc_operator.descriptor.model import Binding
from grpc_operator.gateway.ir import Api, Method
from grpc_operator.resources import Key

_STREAM_SECONDS = 5
"""Seconds after which an example of a stream ends: it may be endless."""

_FORWARD_SECONDS = 3
"""Seconds that kubectl gets to forward a port."""

_READS = re.compile(
    r"(Get|List|Search|Find|Read|Lookup|Query|Count|Check|Describe|Fetch|Show|Say)(?![a-z])"
)
"""Beginnings of the names of methods that change nothing (AIP-130 and the like)."""

_VARIABLE = re.compile(r"\{([^=}]+)(?:=([^}]*))?\}")
_UNFORWARDED_PORT = 1024
"""Below it, only root may listen (ip_unprivileged_port_start)."""

_GRPC_WEB = (
    *("-H", "content-type: application/grpc-web+proto", "-H", "x-grpc-web: 1"),
    *("--data-binary", "@-", "--output", "-"),
)


@dataclass(frozen=True)
class Forward:
    """A port of a Service that is forwarded to this machine.

    Attributes:
        namespace: Of the Service.
        service: Its name.
        port: Its port.
    """

    namespace: str
    service: str
    port: int

    @property
    def target(self) -> str:
        """HOST:PORT on this machine."""
        return f"localhost:{self._local}"

    @property
    def _local(self) -> int:
        return self.port if self.port >= _UNFORWARDED_PORT else self.port + 8000

    def around(self, command: str) -> str:
        """Returns a command that forwards the port while another one runs."""
        what = ("-n", self.namespace, "port-forward", f"service/{self.service}")
        forward = shlex.join(("kubectl", *what, f"{self._local}:{self.port}"))
        wait = f"sleep {_FORWARD_SECONDS}"
        return f"( {forward} >/dev/null & p=$!; {wait}; {command}; kill $p )"


@dataclass(frozen=True)
class Place:
    """Where a command connects to.

    Attributes:
        target: HOST:PORT.
        tls: Whether to use TLS.
        authority: The ``:authority`` to send; ``None`` for the target.
    """

    target: str
    tls: bool = False
    authority: str | None = None


def method_of(apis: Iterable[Api]) -> tuple[Api, Method] | None:
    """Returns the method to show by gRPC; ``None`` if there is none.

    One that is unary, that changes nothing, and that needs no argument, if there is one.
    """
    found = [(api, method) for api in apis for method in api.methods]
    return min(found, key=lambda each: _order(each[1]), default=None)


def binding_of(apis: Iterable[Api]) -> tuple[Method, Binding] | None:
    """Returns the method and binding to show by REST; ``None`` if there is none."""
    found = [
        (method, binding)
        for api in apis
        for method in api.methods
        for binding in method.bindings
        if not binding.raw_body and binding.verb != "*"
    ]
    return min(found, key=lambda each: _rest_order(*each), default=None)


def grpcurl(key: Key, place: Place, api: Api, method: Method) -> str:
    """Returns a command that calls a method by gRPC; the key names the revision to describe it."""
    options: list[str] = [] if place.tls else ["-plaintext"]
    if method.kind != "Unary":
        options += ["-max-time", str(_STREAM_SECONDS)]
    if method.sample.wire or method.kind != "Unary":
        options += ["-d", method.sample.text]
    if place.authority is not None:
        options += ["-authority", place.authority]
    there = shlex.join((*options, place.target, f"{api.name}/{method.name}"))
    return f"grpcurl {protoset(key)} {there}"


def grpc_web(base: str, at: tuple[str, ...], api: Api, method: Method) -> str:
    """Returns a command that calls a method by gRPC-Web: one frame (PROTOCOL-WEB)."""
    frame = b"\0" + len(method.sample.wire).to_bytes(4, "big") + method.sample.wire
    message = "".join(f"\\{byte:o}" if byte == 0 else f"\\{byte:03o}" for byte in frame)
    url = f"{base}/{api.name}/{method.name}"
    command = shlex.join(("curl", "-sSi", *_bounded(method), url, *_GRPC_WEB, *at))
    return f"printf '{message}' | {command}"


def rest(base: str, at: tuple[str, ...], method: Method, binding: Binding) -> str:
    """Returns a command that calls a method by REST."""
    sample: dict[str, Any] = json.loads(method.sample.text)
    path = binding.template
    if binding.variables:  # otherwise a brace is a brace
        path = _VARIABLE.sub(lambda match: _segment(match, sample), path)
    for variable in binding.variables:
        _take(sample, variable)
    words = ["curl", "-sS", *_bounded(method)]
    if binding.verb != "GET":
        words += ["-X", binding.verb]
    if binding.body:
        body = sample if binding.body == "*" else sample.pop(binding.body, {})
        words += ["-H", "content-type: application/json", "-d", json.dumps(body)]
    if binding.body != "*" and (query := list(_query(sample))):
        path += f"?{urlencode(query)}"
    return shlex.join((*words, f"{base}{path}", *at))


def _order(method: Method) -> tuple[bool, bool, bool]:
    reads = method.read_only or any(each.verb == "GET" for each in method.bindings)
    reads = reads or _READS.match(method.name) is not None
    return method.kind != "Unary", not reads, bool(method.sample.wire)


def _rest_order(method: Method, binding: Binding) -> tuple[bool, bool, bool, bool]:
    streamed, writes, needs = _order(method)
    return streamed, binding.verb != "GET", writes, bool(binding.variables) or needs


def _bounded(method: Method) -> tuple[str, ...]:
    return () if method.kind == "Unary" else ("--max-time", str(_STREAM_SECONDS))


def _segment(match: re.Match[str], sample: Mapping[str, Any]) -> str:
    """Returns what replaces a variable of a path."""
    value: Any = sample
    for name in match[1].split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, (list, Mapping)):
        value = re.sub(r"\*+", "1", match[2] or "1")
    return quote(str(value), safe="/" if match[2] else "")


def _take(sample: dict[str, Any], path: str) -> None:
    """Removes a field that the path has from what is sent otherwise."""
    *parents, last = path.split(".")
    for name in parents:
        sample = sample.get(name, {})
    sample.pop(last, None)


def _query(sample: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in sample.items():
        if isinstance(value, Mapping):
            yield from _query(value, f"{prefix}{name}.")
        else:
            first = value[0] if isinstance(value, list) else value
            if not isinstance(first, Mapping):
                yield f"{prefix}{name}", json.dumps(first).strip('"')


def protoset(key: Key) -> str:
    """Returns grpcurl's option for the schema: the gateway does not serve reflection."""
    what = ("-n", key.namespace, "get", "configmap", names.descriptor_config_map(key.name))
    content = ("-o", r"jsonpath={.binaryData.descriptor\.pb}")
    return f"-protoset <({shlex.join(('kubectl', *what, *content))} | base64 -d | gzip -cdf)"
