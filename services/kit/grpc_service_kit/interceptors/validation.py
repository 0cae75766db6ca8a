"""Validation: the rules that the proto states (protovalidate), checked for every request message.

https://protovalidate.com. Methods whose requests have no rules cost nothing; protovalidate is
imported only when some method has rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor

from grpc_service_kit.call import Call, Method, Proceed
from grpc_service_kit.environment import ConfigError
from grpc_service_kit.errors import FieldViolation, InvalidArgument
from grpc_service_kit.interceptors.half_close import StreamContext, requests_of
from grpc_service_kit.interceptors.rules import check_rules, validator

_RULES = "buf/validate/validate.proto"

Check = Callable[[Any], None]


def validate_requests(method: Method, proceed: Proceed) -> Proceed:
    """Refuse messages that break a rule.

    Raises:
        ConfigError: protovalidate is missing, or a rule cannot be compiled or used.
    """
    message = getattr(method.request_deserializer, "__self__", None)
    descriptor = getattr(message, "DESCRIPTOR", None)
    ruled = _with_rules(descriptor) if isinstance(descriptor, Descriptor) else []
    if not ruled:
        return proceed
    check = _check(method, ruled)

    async def unary(call: Call, request: Any) -> Any:
        check(request)
        return await proceed(call, request)

    async def stream(call: Call, _requests: Any) -> Any:
        context: Any = _CheckedContext(call.context, check)
        call.context = context
        return await proceed(call, requests_of(context))

    return stream if method.request_streaming else unary


def _with_rules(descriptor: Descriptor) -> list[Descriptor]:
    """Return the message and those inside it, but for messages of files that state no rules."""
    seen, rest = {descriptor.full_name: descriptor}, [descriptor]
    while rest:
        inside = {field.message_type for field in rest.pop().fields if field.message_type}
        new = [found for found in inside if found.full_name not in seen]
        seen |= {found.full_name: found for found in new}
        rest += new
    return [found for found in seen.values() if _states_rules(found)]


def _states_rules(descriptor: Descriptor) -> bool:
    return any(file.name == _RULES for file in descriptor.file.dependencies)


def _check(method: Method, ruled: list[Descriptor]) -> Check:
    try:
        collect = validator().collect_violations
    except ImportError as error:
        raise ConfigError(
            f"{method.name}: its requests have rules; install grpc-service-kit[validation]"
        ) from error
    check_rules(ruled, method.name)

    def check(message: Any) -> None:
        violations = collect(message)
        if violations:
            raise InvalidArgument.of([_violation(found) for found in violations])

    return check


def _violation(found: Any) -> FieldViolation:
    violation = found.proto
    return FieldViolation(_path(violation.field), violation.message, violation.rule_id)


def _path(path: Any) -> str:
    """Write a buf.validate.FieldPath as google.rpc.BadRequest wants it: `users[2].email`."""
    if path is None:
        return ""
    words = []
    for element in path.elements:
        words.append(f".{element.field_name}")
        if element.subscript is not None:
            words.append(f"[{json.dumps(element.subscript.value)}]")
    return "".join(words)[1:]


class _CheckedContext(StreamContext):
    """Checks what it reads."""

    def __init__(self, context: Any, check: Check) -> None:
        super().__init__(context)
        self._check = check

    async def read(self) -> Any:
        request = await self._context.read()
        if request is not grpc.aio.EOF:
            self._check(request)
        return request
