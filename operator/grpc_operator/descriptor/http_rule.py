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

from grpc_operator import limits
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.groups import Groups
from grpc_operator.descriptor.model import Binding, RefusedRule
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


@dataclass(frozen=True)
class Rules:
    """The rules of a method.

    Attributes:
        bindings: Those that can be served, additional ones after the first.
        refused: The others.
    """

    bindings: tuple[Binding, ...] = ()
    refused: tuple[RefusedRule, ...] = ()


def read(method: MethodDescriptorProto, symbols: Symbols, groups: Groups) -> Rules:
    """Returns the rules of a method, each checked by itself.

    Args:
        method: With resolved types.
        symbols: The set.
        groups: Its groups.
    """
    if not method.options.HasExtension(annotations_pb2.http):
        return Rules()
    first = method.options.Extensions[annotations_pb2.http]
    rules = [first, *first.additional_bindings]
    most = limits.DESCRIPTOR_BINDINGS.value
    reader = _Reader(method, symbols, groups)
    found: list[Binding] = []
    refused: list[RefusedRule] = []
    for rule in rules[:most]:
        try:
            binding = reader.binding(rule)
            reader.check_bodies(binding, found[:1])
        except (TemplateError, HttpRuleError) as error:
            refused.append(RefusedRule(text(rule), str(error)))
        else:
            found.append(binding)
        if rule is not first and rule.additional_bindings:
            refused.append(_inner(rule.additional_bindings))
    if len(rules) > most:
        reason = f"a method has at most {most} bindings, and this one has {len(rules)}"
        refused.append(RefusedRule(_several(rules[most:]), reason))
    return Rules(tuple(found), tuple(refused))


def group_problem(group: str) -> str:
    """Returns why a group cannot be in a body."""
    return (
        f"has a body with {group}, which is a group (DELIMITED in editions): Envoy would write it"
        " without its end. Use another field, or no body"
    )


def body_is_http_body(method: MethodDescriptorProto, body: str, symbols: Symbols) -> bool:
    """Returns whether a request body is passed on as it is instead of being read as JSON."""
    if body in {"", "*"}:
        return method.input_type == HTTP_BODY
    return _field(symbols, method.input_type, body).type_name == HTTP_BODY


@dataclass(frozen=True)
class _Reader:
    method: MethodDescriptorProto
    symbols: Symbols
    groups: Groups

    def binding(self, rule: HttpRule) -> Binding:
        verb, path = _pattern(rule)
        template = parse(path)
        for variable in template.variables:
            self._check_variable(variable)
        self._check_body(rule)
        self._check_groups(rule)
        self._check_response_body(rule)
        return Binding(
            verb=verb,
            template=path,
            segments=template.segments,
            custom_verb=template.custom_verb,
            variables=template.variables,
            body=rule.body,
            response_body=rule.response_body,
            raw_body=body_is_http_body(self.method, rule.body, self.symbols),
        )

    def check_bodies(self, binding: Binding, before: Sequence[Binding]) -> None:
        """Envoy decides by the first rule alone how bodies are read and written."""
        for first in before:
            if binding.response_body != first.response_body:
                raise HttpRuleError(
                    f"must have the response_body of {first.verb} {shown(first.template)}"
                    f" ({shown(first.response_body) or 'none'}): Envoy uses that for all bindings"
                    " of a method"
                )
            if binding.raw_body != first.raw_body:
                raise HttpRuleError(
                    f"maps the request body to {_kind(binding)}, and {first.verb}"
                    f" {shown(first.template)} to {_kind(first)}; Envoy uses that for all bindings"
                    " of a method"
                )

    def _check_variable(self, path: str) -> None:
        message = self.method.input_type
        *outer, leaf = path.split(".")
        for name in outer:
            field = self._singular(message, name, path)
            if field.type != FieldDescriptorProto.TYPE_MESSAGE:
                raise HttpRuleError(f"binds {shown(path)}, but {shown(name)} is not a message")
            if self.groups.is_group(field, message):
                raise HttpRuleError(f"binds {shown(path)}, but {shown(name)} is a group")
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

    def _check_groups(self, rule: HttpRule) -> None:
        if not rule.body:
            return
        message = self.method.input_type
        field = None
        if rule.body != "*":
            field = _field(self.symbols, message, rule.body)
            if not field.type_name:
                return
        if field is not None and self.groups.is_group(field, message):
            group: str | None = shown(rule.body)
        else:
            group = self.groups.inside(field.type_name if field is not None else message)
        if group is not None:
            raise HttpRuleError(group_problem(group))

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


def _kind(binding: Binding) -> str:
    return "google.api.HttpBody" if binding.raw_body else "JSON"


def _inner(rules: Sequence[HttpRule]) -> RefusedRule:
    """Returns that rules are ignored which stand where google/api/http.proto allows none."""
    reason = "is in additional_bindings of an additional binding; move it to those of the first"
    return RefusedRule(_several(rules), reason)


def _several(rules: Sequence[HttpRule]) -> str:
    more = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
    return text(rules[0]) + more


def text(rule: HttpRule) -> str:
    """Returns HTTP method and path template of a rule for messages: bounded and printable."""
    kind = rule.WhichOneof("pattern")
    if kind is None:
        return "a rule without a path"
    if kind == "custom":
        return f"{shown(rule.custom.kind)} {shown(rule.custom.path)}"
    return f"{kind.upper()} {shown(getattr(rule, kind))}"


def _field(symbols: Symbols, message: str, name: str) -> FieldDescriptorProto:
    fields = symbols.fields(message)
    if name in fields:
        return fields[name]
    simple = message.rpartition(".")[2]
    near = did_you_mean(name, (each for each in fields if isinstance(each, str)))
    raise HttpRuleError(f"{shown(simple)} has no field {shown(name)}{near}")
