"""Small parts that many messages are made of, and how a message becomes a resource."""

from envoy.config.core.v3 import address_pb2, base_pb2, config_source_pb2
from envoy.type.matcher.v3 import regex_pb2, string_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from grpc_operator import hashing
from grpc_operator.gateway.snapshot import Resource
from grpc_operator.resources import Key

_LENGTH_DELIMITED = 2
_SEVEN_BITS = 0x7F


def pack(message: Message) -> Any:
    """Returns a message in an Any, equal messages as equal bytes."""
    packed = Any()
    packed.Pack(message, deterministic=True)
    return packed


def resource(name: str, message: Message, owner: Key | None = None) -> Resource:
    """Returns a message as a resource whose version is the hash of its bytes.

    Args:
        name: Name of the resource.
        message: Its content.
        owner: The one service it is for, if there is one.
    """
    body = pack(message)
    return Resource(name, hashing.digest(body.value), body, owner=owner)


def serialised(message: Message) -> bytes:
    """Returns the bytes of a message; equal messages have equal bytes."""
    return message.SerializeToString(deterministic=True)


def embedded(number: int, message: bytes) -> bytes:
    """Returns a serialised message as a field of the message around it.

    Parsing it only to serialise it again would be most of the cost of a large route table
    (protobuf encoding, "Length-Delimited Records").
    """
    return opening(number, len(message)) + message


def opening(number: int, length: int) -> bytes:
    """Returns what comes before an embedded message of this many bytes."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(length)


def _varint(value: int) -> bytes:
    digits = []
    while value > _SEVEN_BITS:
        digits.append(value & _SEVEN_BITS | ~_SEVEN_BITS & 0xFF)
        value >>= 7
    return bytes([*digits, value])


def of_bytes(name: str, type_url: str, value: bytes) -> Resource:
    """Returns a serialised message as a resource."""
    return Resource(name, hashing.digest(value), Any(type_url=type_url, value=value))


def duration(seconds: float | None) -> Duration:
    """Returns seconds as a Duration; ``None`` as zero, which means no limit to Envoy."""
    nanoseconds = round((seconds or 0) * 1e9)
    return Duration(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)


def ads() -> config_source_pb2.ConfigSource:
    """Returns the source of everything that comes over the one xDS stream."""
    return config_source_pb2.ConfigSource(
        resource_api_version=config_source_pb2.ApiVersion.V3,
        ads=config_source_pb2.AggregatedConfigSource(),
    )


def address(host: str, port: int) -> address_pb2.Address:
    """Returns a TCP address."""
    return address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address=host, port_value=port)
    )


def overwrite(name: str, value: str) -> base_pb2.HeaderValueOption:
    """Returns what sets a header to one value, whatever it was."""
    return base_pb2.HeaderValueOption(
        header=base_pb2.HeaderValue(key=name, value=value),
        append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def regex(pattern: str) -> string_pb2.StringMatcher:
    """Returns a matcher of whole strings by RE2."""
    return string_pb2.StringMatcher(safe_regex=regex_pb2.RegexMatcher(regex=pattern))
