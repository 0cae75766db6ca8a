"""Calls of methods that the server does not have: answered, counted under one label, and logged.

So a client of a method that was removed is seen, as long as there is one.
"""

import logging
import re
from typing import Any

from grpc_service_kit.call import Call, Method
from grpc_service_kit.errors import Unimplemented

METHOD = Method("/unknown/unknown", True, True, None, None, infrastructure=True)
"""The label of all of them: a client chooses their names, and could choose any number.

They need no token, like gRPC's own services: clients find out by UNIMPLEMENTED what a server
has."""

_MOST_CHARACTERS = 200
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9_./-]")

logger = logging.getLogger(__name__)


async def refuse(call: Call, _requests: Any) -> None:
    """End the call with UNIMPLEMENTED."""
    name = _OTHER_CHARACTERS.sub("?", call.path.removeprefix("/"))[:_MOST_CHARACTERS]
    logger.warning("a client calls a method that is unknown", extra={"fields": {"method": name}})
    raise Unimplemented("Method not found!")  # What gRPC itself answers.
