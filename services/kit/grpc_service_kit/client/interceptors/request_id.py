"""One request id through all services: that of the call being served, or a new one."""

import os

from grpc_service_kit import context
from grpc_service_kit.client.interceptors.outgoing import OutgoingCall

REQUEST_ID = "x-request-id"
"""The metadata key; Envoy's as well."""


async def send_request_id(call: OutgoingCall) -> None:
    """Send the id; retries of the call carry the same one."""
    call.add(REQUEST_ID, context.request_id.get() or os.urandom(16).hex())
