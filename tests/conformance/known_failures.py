"""Cases that fail with our gateway between, and why they may. One that passes fails the test."""

from collections.abc import Mapping

_NOT_OF_CONNECT = (
    "what is neither gRPC nor gRPC-Web gets a google.rpc.Status in JSON; the runner takes every"
    " error in JSON for one of Connect's, which no gateway of ours serves"
)
_CONTENT_TYPES = (
    "HTTPVersion:1/Protocol:PROTOCOL_GRPC_WEB",
    "HTTPVersion:2/Protocol:PROTOCOL_GRPC",
    "HTTPVersion:2/Protocol:PROTOCOL_GRPC_WEB",
)

KNOWN: Mapping[str, str] = {
    f"Unexpected Requests/{name}/TLS:false/unexpected-content-type": _NOT_OF_CONNECT
    for name in _CONTENT_TYPES
}
"""Reasons by the names of the cases."""
