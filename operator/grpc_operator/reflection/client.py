"""Gets the descriptors of a server by reflection."""

import asyncio

import grpc

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor import DescriptorError, merge_files
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.reflection.collect import collect
from grpc_operator.reflection.reflection_error import INSTEAD, ReflectionError
from grpc_operator.reflection.stub import VERSIONS, ReflectionStub

_OPTIONS = (
    ("grpc.max_receive_message_length", limits.DESCRIPTOR_INPUT_BYTES.value),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.use_local_subchannel_pool", 1),
)
"""A pod is called directly, and a retry must not wait for an earlier connection's backoff."""

_REFUSALS = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


async def fetch(target: str, timeout: float) -> bytes:  # noqa: ASYNC109 - of all calls together
    """Returns the serialised FileDescriptorSet of every service that a server lists.

    By ``grpc.reflection.v1``, or ``v1alpha`` where the server does not have it.

    Args:
        target: A gRPC target without TLS, such as ``198.18.0.7:50051``. Not trusted.
        timeout: Seconds for everything together.

    Raises:
        ReflectionError: The server has no reflection, did not answer in time, sent too much, or
            what it sent is not valid.
    """
    try:
        async with (
            asyncio.timeout(timeout),
            grpc.aio.insecure_channel(target, options=_OPTIONS) as channel,
        ):
            files = await _files(channel)
    except TimeoutError as error:
        raise ReflectionError(
            Reason.REFLECTION_UNREACHABLE,
            f"{target} did not answer reflection completely within {timeout:g} s",
        ) from error
    try:
        return merge_files(files)
    except DescriptorError as error:
        message = f"the server's set {error.problems[0].message}; {INSTEAD}"
        raise ReflectionError(Reason.REFLECTION_INVALID, message) from error


async def _files(channel: grpc.aio.Channel) -> list[bytes]:
    for version in VERSIONS:
        try:
            return await collect(ReflectionStub(channel, version))
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                raise _failure(error) from error
    raise ReflectionError(
        Reason.REFLECTION_UNIMPLEMENTED,
        f"the server has no gRPC server reflection; enable it, or {INSTEAD}",
    )


def _failure(error: grpc.aio.AioRpcError) -> ReflectionError:
    what = f"{error.code().name} ({shown(error.details() or 'no details')})"
    if error.code() in _REFUSALS:
        return ReflectionError(
            Reason.REFLECTION_UNIMPLEMENTED,
            f"the server refused reflection with {what}; allow it without credentials from the"
            f" operator, or {INSTEAD}",
        )
    if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return ReflectionError(
            Reason.REFLECTION_TOO_LARGE,
            f"reflection failed with {what}: at most {limits.DESCRIPTOR_INPUT_BYTES} bytes are"
            f" read in one message; {INSTEAD}",
        )
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return ReflectionError(
            Reason.REFLECTION_UNREACHABLE,
            f"reflection failed with {what}; does the server listen there, without TLS?",
        )
    return ReflectionError(Reason.REFLECTION_INVALID, f"reflection failed with {what}; {INSTEAD}")
