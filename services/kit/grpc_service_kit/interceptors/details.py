"""google.rpc details of errors, within what HTTP/2 peers accept as headers.

The kinds of details: https://google.aip.dev/193. ErrorInfo is always there.
"""

from collections.abc import Sequence

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from grpc_service_kit.call import Call
from grpc_service_kit.errors import DomainError, FieldViolation

_KEY = "grpc-status-details-bin"
_TEXT_LIMIT = 1024
_DETAILS_LIMIT = 4096
"""Bytes. gRPC refuses a response whose metadata is larger than 8 KiB, and the error would be lost;
base64 makes a third more of the details, and the text comes a second time as grpc-message."""


def status(call: Call, code: grpc.StatusCode, error: DomainError) -> status_pb2.Status:
    """Return the status with all details that have room."""
    status = status_pb2.Status(code=code.value[0], message=_shortened(str(error), _TEXT_LIMIT))
    for detail in _details(call, error):
        packed = any_pb2.Any()
        packed.Pack(detail)
        if status.ByteSize() + packed.ByteSize() <= _DETAILS_LIMIT:
            status.details.append(packed)
    return status


def metadata(status: status_pb2.Status) -> tuple[str, bytes]:
    """Return the trailing metadata that carries a status; `grpc_status.rpc_status` reads it."""
    return _KEY, status.SerializeToString()


def _details(call: Call, error: DomainError) -> list[Message]:
    found: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=call.method.service, metadata=error.metadata
        ),
        error_details_pb2.RequestInfo(request_id=call.request_id),
    ]
    if error.retry_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_seconds * 1000))
        found.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if error.resource is not None:
        found.append(
            error_details_pb2.ResourceInfo(
                resource_type=error.resource.type,
                resource_name=error.resource.name,
                description=_shortened(str(error), _TEXT_LIMIT),
            )
        )
    if error.violations:
        found.append(_bad_request(error.violations))
    return found


def _bad_request(violations: Sequence[FieldViolation]) -> error_details_pb2.BadRequest:
    """Return as many violations as have room, the first ones."""
    request = error_details_pb2.BadRequest()
    for violation in violations:
        added = request.field_violations.add(
            field=_shortened(violation.field, 256),
            description=_shortened(violation.description, 512),
            reason=violation.reason,
        )
        if request.ByteSize() > _DETAILS_LIMIT // 2:
            request.field_violations.remove(added)
            break
    return request


def _shortened(text: str, limit: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= limit else f"{encoded[: limit - 3].decode(errors='ignore')}..."
