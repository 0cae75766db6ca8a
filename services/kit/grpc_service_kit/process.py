"""run: a server process from its environment to its exit code."""

import asyncio
import sys
from collections.abc import Callable, Coroutine

from grpc_service_kit.environment import ConfigError
from grpc_service_kit.ports import ListenError
from grpc_service_kit.service import RegistrationError
from grpc_service_kit.tls import CertificateError

if sys.platform == "win32":
    new_event_loop = asyncio.new_event_loop
else:
    from uvloop import new_event_loop  # docs/adr/0020: what it gains

_START_ERRORS = (ConfigError, ListenError, RegistrationError, CertificateError)


def run(serve: Callable[[], Coroutine[None, None, None]], *more: type[Exception]) -> int:
    """Run `serve` to its end; return 0, or 2 when what is configured does not let it start.

    Args:
        serve: Reads the configuration, builds the server and awaits `Server.serve`.
        more: Other errors of the configuration, whose text is printed instead of a traceback.
    """
    reported: tuple[type[Exception], ...] = (*_START_ERRORS, *more)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve())
    except reported as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
