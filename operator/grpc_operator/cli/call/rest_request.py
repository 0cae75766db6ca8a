"""A request by REST: which of the method's rules it fits, and its path, query and body."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from google.api import httpbody_pb2
from google.protobuf.message import Message

from grpc_operator.cli.call.message_json import Printing
from grpc_operator.cli.call.schema import Called, Schema
from grpc_operator.cli.call.transport import Body
from grpc_operator.cli.errors import CliError
from grpc_operator.descriptor import Binding

_VARIABLE = re.compile(r"\{([^=}]+)(?:=([^}]*))?\}")
_AS_WRITTEN = Printing(proto_names=True)


class _DoesNotFitError(Exception):
    """A message cannot be sent by a rule; the text says why."""


@dataclass(frozen=True)
class RestRequest:
    """What is sent.

    Attributes:
        binding: The rule; its verb is one that can be sent.
        path: With the query, encoded.
        headers: Type of the content.
        body: None, bytes, or pieces as they come.
    """

    binding: Binding
    path: str
    headers: Mapping[str, str]
    body: Body


@dataclass(frozen=True)
class Rest:
    """The rules of a method.

    Attributes:
        schema: Of the method.
        called: The method.
        bindings: Its rules.
    """

    schema: Schema
    called: Called
    bindings: Sequence[Binding]

    def request(self, first: Message, more: AsyncIterator[Message]) -> RestRequest:
        """Returns the request by the first rule that the message fits.

        Args:
            first: The first message: its fields are those of path and query.
            more: The others.

        Raises:
            CliError: It fits none; says for each why.
        """
        if not self.bindings:
            refused = [f"{each.rule}: {each.reason}" for each in self.called.method.refused]
            why = f": {'; '.join(refused)}" if refused else " (google.api.http)"
            raise CliError(f"{self.called.name} has no REST rule{why}", fix="Use --via grpc.")
        reasons = []
        for binding in self.bindings:
            try:
                return self._by(binding, first, more)
            except _DoesNotFitError as error:
                reasons.append(f"{binding.verb} {binding.template}: {error}")
        raise CliError("; ".join(reasons), where=self.called.name)

    def _by(self, binding: Binding, first: Message, more: AsyncIterator[Message]) -> RestRequest:
        value = self.schema.json(first, _AS_WRITTEN)
        path, rest = _path(binding, value)
        headers: dict[str, str] = {}
        body: Body = None
        if binding.body:
            headers["content-type"] = "application/json"
            part = rest if binding.body == "*" else rest.pop(binding.body, {})
            sent = json.dumps(part).encode()
            if binding.raw_body:
                raw: Any = first if binding.body == "*" else getattr(first, binding.body)
                headers["content-type"], sent = raw.content_type, raw.data
            body = self._stream(binding, sent, more) if self.called.streams_requests else sent
        if binding.body != "*" and (query := list(_query(rest))):
            path += f"?{urlencode(query)}"
        return RestRequest(_sendable(binding), path, headers, body)

    async def _stream(
        self, binding: Binding, first: bytes, more: AsyncIterator[Message]
    ) -> AsyncIterator[bytes]:
        """Yields the elements of an array; of raw bodies, the bytes."""
        yield first if binding.raw_body else b"[" + first
        async for message in more:
            if binding.raw_body:
                assert isinstance(message, httpbody_pb2.HttpBody)  # noqa: S101 - of the rule
                yield message.data
                continue
            value = self.schema.json(message, _AS_WRITTEN)
            part = value if binding.body == "*" else value.get(binding.body, {})
            yield b"," + json.dumps(part).encode()
        if not binding.raw_body:
            yield b"]"


def _sendable(binding: Binding) -> Binding:
    """Returns the rule with a verb: one that takes all of them does not say which."""
    if binding.verb != "*":
        return binding
    return replace(binding, verb="POST" if binding.body else "GET")


def _path(binding: Binding, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns the path, and what is left of the message."""
    rest = json.loads(json.dumps(value))
    if not binding.variables:  # then a brace is a brace
        return binding.template, rest

    def filled(match: re.Match[str]) -> str:
        found = _taken(rest, match[1])
        return _segment(match[1], found, match[2] or "*")

    return _VARIABLE.sub(filled, binding.template), rest


def _taken(value: dict[str, Any], path: str) -> Any:
    *parents, last = path.split(".")
    inner: Any = value
    for name in parents:
        inner = inner.get(name) if isinstance(inner, dict) else None
    found = inner.pop(last, None) if isinstance(inner, dict) else None
    if found is None or isinstance(found, list | dict) or found == "":
        raise _DoesNotFitError(f"the path needs the field {path}, which the message does not have")
    return found


def _segment(field: str, value: Any, pattern: str) -> str:
    """Returns the text of a variable; a variable of one segment takes any text."""
    text = value if isinstance(value, str) else json.dumps(value)
    expected = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
    if pattern == "*":
        return quote(text, safe="")
    if not re.fullmatch(expected, text):
        raise _DoesNotFitError(f"{field} is {text!r}, which does not match {pattern}")
    return quote(text, safe="/")


def _query(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        where = f"{prefix}{name}"
        if isinstance(each, Mapping):
            yield from _query(each, f"{where}.")
            continue
        for single in each if isinstance(each, list) else (each,):
            if isinstance(single, Mapping | list):
                raise _DoesNotFitError(f"{where} cannot be in the query: it repeats messages")
            yield where, single if isinstance(single, str) else json.dumps(single)
