"""GS104: methods that read, but do not declare it, so that nobody may send a call again."""

from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import MethodOptions

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server

_FIX = "Add: option idempotency_level = NO_SIDE_EFFECTS;"


async def check(server: Server) -> Iterator[Finding]:
    """Reads the declarations; calls nothing."""
    text = "reads, but does not say so: neither the gateway nor clients may send it again"
    return (
        server.finding("GS104", text, _FIX, each.path[1:])
        for each in server.methods
        if each.reads
        and not (each.proto.client_streaming or each.proto.server_streaming)
        and each.proto.options.idempotency_level == MethodOptions.IDEMPOTENCY_UNKNOWN
    )
