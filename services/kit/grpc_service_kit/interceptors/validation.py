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

_RULES = "buf/validate/validate.proto"

Check = Callable[[Any], None]


def validate_requests(method: Method, proceed: Proceed) -> Proceed:
    """Refuse messages that break a rule; raise ConfigError when protovalidate is missing."""
    message = getattr(method.request_deserializer, "__self__", None)
    descriptor = getattr(message, "DESCRIPTOR", None)
    if not isinstance(descriptor, Descriptor) or not has_rules(descriptor):
        return proceed
    check = _check(method)

    async def unary(call: Call, request: Any) -> Any:
        check(request)
        return await proceed(call, request)

    async def stream(call: Call, _requests: Any) -> Any:
        context: Any = _CheckedContext(call.context, check)
        call.context = context
        return await proceed(call, requests_of(context))

    return stream if method.request_streaming else unary


def has_rules(descriptor: Descriptor) -> bool:
    """Whether a message, or one inside it, is of a file that states rules."""
    seen: set[str] = set()
    rest = [descriptor]
    while rest:
        current = rest.pop()
        if current.full_name in seen:
            continue
        seen.add(current.full_name)
        if any(file.name == _RULES for file in current.file.dependencies):
            return True
        rest += [field.message_type for field in current.fields if field.message_type]
    return False


def _check(method: Method) -> Check:
    try:
        import protovalidate  # noqa: PLC0415 only where there are rules
    except ImportError as error:
        raise ConfigError(
            f"{method.name}: its requests have rules; install grpc-service-kit[validation]"
        ) from error
    collect = protovalidate.Validator().collect_violations

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
