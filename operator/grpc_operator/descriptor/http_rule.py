"""``google.api.http`` on a method to bindings, checked against the messages of the method.

Rules are from the comments in google/api/http.proto. Where Envoy's transcoder can do less, what it
cannot do is refused here: Envoy itself would reject the whole configuration, or respond wrongly.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import (
    FieldDescriptorProto,
    MethodDescriptorProto,
)

from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.limits import MAX_BINDINGS
from grpc_operator.descriptor.model import Binding
from grpc_operator.descriptor.nearest import did_you_mean
from grpc_operator.descriptor.symbols import Symbols
from grpc_operator.descriptor.template import TemplateError, parse

HTTP_BODY = ".google.api.HttpBody"

_CUSTOM_KIND = re.compile(r"[A-Z][-A-Z0-9_]{0,31}|[*]")
_MESSAGES = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP)
_SCALAR_JSON = frozenset(
    f".google.protobuf.{name}"
    for name in (
        "BoolValue",
        "BytesValue",
        "DoubleValue",
        "Duration",
        "FieldMask",
        "FloatValue",
        "Int32Value",
        "Int64Value",
        "StringValue",
        "Timestamp",
        "UInt32Value",
        "UInt64Value",
    )
)


class HttpRuleError(ValueError):
    """A rule is wrong, or needs what Envoy cannot do. The message says what."""


def bindings(method: MethodDescriptorProto, symbols: Symbols) -> tuple[Binding, ...]:
    """Returns the bindings of a method, additional ones after the first.

    Args:
        method: With resolved types.
        symbols: The set.

    Raises:
        HttpRuleError: Names the rule and what is wrong with it.
    """
    if not method.options.HasExtension(annotations_pb2.http):
        return ()
    first = method.options.Extensions[annotations_pb2.http]
    rules = [first, *first.additional_bindings]
    if len(rules) > MAX_BINDINGS:
        raise HttpRuleError(f"has {len(rules)} bindings; at most {MAX_BINDINGS} are allowed")
    reader = _Reader(method, symbols)
    found = tuple(reader.binding(rule) for rule in rules)
    for rule in first.additional_bindings:
        if rule.additional_bindings:
            raise HttpRuleError(f"{_shown(rule)} must not have additional_bindings of its own")
    reader.check_bodies(found)
    return found


def body_is_http_body(method: MethodDescriptorProto, body: str, symbols: Symbols) -> bool:
    """Returns whether a request body is passed on as it is instead of being read as JSON."""
    if body in {"", "*"}:
        return method.input_type == HTTP_BODY
    return _field(symbols, method.input_type, body).type_name == HTTP_BODY


@dataclass(frozen=True)
class _Reader:
    method: MethodDescriptorProto
    symbols: Symbols

    def binding(self, rule: HttpRule) -> Binding:
        verb, text = _pattern(rule)
        try:
            template = parse(text)
            for path in template.variables:
                self._check_variable(path)
            self._check_body(rule)
            self._check_response_body(rule)
        except (TemplateError, HttpRuleError) as error:
            raise HttpRuleError(f"{_shown(rule)} {error}") from error
        return Binding(
            verb=verb,
            template=text,
            segments=template.segments,
            custom_verb=template.custom_verb,
            variables=template.variables,
            body=rule.body,
            response_body=rule.response_body,
        )

    def check_bodies(self, found: Sequence[Binding]) -> None:
        """Envoy decides by the first rule alone how bodies are read and written."""
        for other in found[1:]:
            if other.response_body != found[0].response_body:
                raise HttpRuleError(
                    f"{other.verb} {shown(other.template)} must have the response_body of the"
                    f" first binding ({shown(found[0].response_body) or 'none'}): Envoy uses that"
                )
            if len({body_is_http_body(self.method, b.body, self.symbols) for b in found}) > 1:
                raise HttpRuleError(
                    "maps the request body to google.api.HttpBody in one binding and to JSON in"
                    " another; Envoy uses that of the first for all"
                )

    def _check_variable(self, path: str) -> None:
        message = self.method.input_type
        *outer, leaf = path.split(".")
        for name in outer:
            field = self._singular(message, name, path)
            if field.type != FieldDescriptorProto.TYPE_MESSAGE:
                raise HttpRuleError(f"binds {shown(path)}, but {shown(name)} is not a message")
            message = field.type_name
        field = self._singular(message, leaf, path)
        if field.type in _MESSAGES and field.type_name not in _SCALAR_JSON:
            raise HttpRuleError(
                f"binds {shown(path)}, which is a message; bind one of its fields, such as"
                f" {shown(path)}.{next(iter(self.symbols.fields(field.type_name)), 'id')}"
            )

    def _singular(self, message: str, name: str, path: str) -> FieldDescriptorProto:
        field = _field(self.symbols, message, name)
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            raise HttpRuleError(f"binds {shown(path)}, but {shown(name)} is repeated or a map")
        return field

    def _check_body(self, rule: HttpRule) -> None:
        if rule.body not in {"", "*"}:
            try:
                _field(self.symbols, self.method.input_type, rule.body)
            except HttpRuleError as error:
                raise HttpRuleError(f'has the body "{shown(rule.body)}": {error}') from error

    def _check_response_body(self, rule: HttpRule) -> None:
        if not rule.response_body:
            return
        what = f'has the response_body "{shown(rule.response_body)}"'
        try:
            field = _field(self.symbols, self.method.output_type, rule.response_body)
        except HttpRuleError as error:
            raise HttpRuleError(f"{what}: {error}") from error
        if field.type_name != HTTP_BODY:
            raise HttpRuleError(
                f"{what}, but Envoy supports only those of type google.api.HttpBody (envoy#11136);"
                " remove response_body, or REST from spec.gateway.protocols"
            )


def _pattern(rule: HttpRule) -> tuple[str, str]:
    """Returns the HTTP method and the path template of a rule."""
    kind = rule.WhichOneof("pattern")
    if kind is None:
        raise HttpRuleError("needs a path: get, put, post, delete, patch or custom")
    if kind != "custom":
        return kind.upper(), getattr(rule, kind)
    if not _CUSTOM_KIND.fullmatch(rule.custom.kind):
        raise HttpRuleError(
            f'has the custom kind "{shown(rule.custom.kind)}": it must be an HTTP method in upper'
            " case, such as HEAD, or *"
        )
    return rule.custom.kind, rule.custom.path


def _shown(rule: HttpRule) -> str:
    verb, text = _pattern(rule)
    return f'{verb} "{shown(text)}"'


def _field(symbols: Symbols, message: str, name: str) -> FieldDescriptorProto:
    fields = symbols.fields(message)
    if name in fields:
        return fields[name]
    simple = message.rpartition(".")[2]
    near = did_you_mean(name, (each for each in fields if isinstance(each, str)))
    raise HttpRuleError(f"{shown(simple)} has no field {shown(name)}{near}")
