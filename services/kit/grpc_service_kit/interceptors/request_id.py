"""One request id through all services: what the client sent, or a new one."""

import os
import re
from typing import Any

from grpc_service_kit import context
from grpc_service_kit.call import Call, Method, Proceed

REQUEST_ID = "x-request-id"
"""The metadata key; Envoy's as well."""
_ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch
"""An id is written to logs and passed on: no quotes, no spaces, no end of line."""


def name_requests(_method: Method, proceed: Proceed) -> Proceed:
    """Give every call a request id."""

    async def call(call: Call, request: Any) -> Any:
        sent = call.metadata.get(REQUEST_ID)
        known = isinstance(sent, str) and _ACCEPTED(sent)
        call.request_id = known.string if known else os.urandom(16).hex()
        context.request_id.set(call.request_id)
        return await proceed(call, request)

    return call
