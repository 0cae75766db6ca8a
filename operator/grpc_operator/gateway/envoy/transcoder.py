"""REST settings and descriptor -> Envoy's gRPC-JSON transcoder."""

from collections.abc import Sequence

from envoy.extensions.filters.http.grpc_json_transcoder.v3 import transcoder_pb2
from google.protobuf.wrappers_pb2 import UInt32Value

from grpc_operator.gateway.ir import Api, Rest

_ONE_READ = 64 << 10
"""As many bytes as Envoy may read at once; in a stream, several messages come in one read."""

_STREAMED_ANSWERS = ("ServerStreaming", "Bidirectional")


def build(rest: Rest, apis: Sequence[Api]) -> transcoder_pb2.GrpcJsonTranscoder:
    """Returns the filter's settings for one GrpcService.

    The filter limits what it has read and not yet transcoded: one message of a stream and what
    came together with it. Unary requests are limited before (``filters.whole_body``).

    Args:
        rest: The settings.
        apis: The gRPC services to transcode.
    """
    kinds = {method.kind for api in apis for method in api.methods if method.bindings}
    beside = 0 if kinds.isdisjoint(_STREAMED_ANSWERS) else _ONE_READ
    return transcoder_pb2.GrpcJsonTranscoder(
        proto_descriptor_bin=rest.descriptor,
        services=[api.name for api in apis],
        convert_grpc_status=True,
        # As google/api/http.proto says: several segments are decoded too, but for their slashes.
        url_unescape_spec=transcoder_pb2.GrpcJsonTranscoder.ALL_CHARACTERS_EXCEPT_SLASH,
        # Browsers, and every form, write a space in a query as a plus.
        query_param_unescape_plus=True,
        ignore_unknown_query_parameters=rest.ignore_unknown_query,
        request_validation_options=transcoder_pb2.GrpcJsonTranscoder.RequestValidationOptions(
            reject_unknown_method=True,
            reject_unknown_query_parameters=not rest.ignore_unknown_query,
            reject_binding_body_field_collisions=True,
        ),
        print_options=transcoder_pb2.GrpcJsonTranscoder.PrintOptions(
            add_whitespace=rest.indented,
            always_print_primitive_fields=rest.print_defaults,
            always_print_enums_as_ints=rest.enums_as_numbers,
            preserve_proto_field_names=rest.proto_field_names,
            stream_newline_delimited=rest.stream_format == "NDJSON",
            stream_sse_style_delimited=rest.stream_format == "SSE",
        ),
        max_request_body_size=UInt32Value(value=rest.max_bytes + _ONE_READ),
        max_response_body_size=UInt32Value(value=rest.max_bytes + beside),
    )


def empty() -> transcoder_pb2.GrpcJsonTranscoder:
    """Returns the filter without a descriptor: routes bring theirs."""
    return transcoder_pb2.GrpcJsonTranscoder(proto_descriptor_bin=b"")
