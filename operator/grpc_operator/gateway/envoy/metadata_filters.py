"""Conditions on what the module has noted about a request, for the access log and local replies."""

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.type.matcher.v3 import metadata_pb2, string_pb2, value_pb2
from google.protobuf.wrappers_pb2 import BoolValue

from grpc_operator.gateway.envoy import resource_names


def rest(*, is_rest: bool = True) -> accesslog_pb2.AccessLogFilter:
    """Matches calls by REST, also when the transcoder has made gRPC of them, or all others."""
    path = metadata_pb2.MetadataMatcher.PathSegment(key="path")
    # Envoy's filter ignores ``invert``; no path is empty.
    wanted = (
        value_pb2.ValueMatcher(present_match=True)
        if is_rest
        else value_pb2.ValueMatcher(string_match=string_pb2.StringMatcher(exact=""))
    )
    matcher = metadata_pb2.MetadataMatcher(
        filter=resource_names.REST_REQUEST, path=[path], value=wanted
    )
    return accesslog_pb2.AccessLogFilter(
        metadata_filter=accesslog_pb2.MetadataFilter(
            matcher=matcher, match_if_key_not_found=BoolValue(value=not is_rest)
        )
    )


def message_too_large() -> accesslog_pb2.AccessLogFilter:
    """Matches streams by REST that the module has ended because a message is too large."""
    matcher = metadata_pb2.MetadataMatcher(
        filter=resource_names.REST_REQUEST,
        path=[metadata_pb2.MetadataMatcher.PathSegment(key="message_too_large")],
        value=value_pb2.ValueMatcher(bool_match=True),
    )
    return accesslog_pb2.AccessLogFilter(
        metadata_filter=accesslog_pb2.MetadataFilter(
            matcher=matcher, match_if_key_not_found=BoolValue(value=False)
        )
    )
