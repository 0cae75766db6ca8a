"""run: a server process from its environment to its exit code."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress

from grpc_service_kit.environment import ConfigError
from grpc_service_kit.ports import ListenError
from grpc_service_kit.service import RegistrationError
from grpc_service_kit.termination import exit_code, until_signal
from grpc_service_kit.tls import CertificateError

if sys.platform == "win32":
    new_event_loop = asyncio.new_event_loop
else:
    from uvloop import new_event_loop  # docs/adr/0020: what it gains

_START_ERRORS = (ConfigError, ListenError, RegistrationError, CertificateError)


def run(serve: Callable[[], Coroutine[None, None, None]], *more: type[Exception]) -> int:
    """Run `serve` to its end; return 0, or 2 when what is configured does not let it start.

    A signal before the server serves ends `serve` at once, and is 128 and its number.

    Args:
        serve: Reads the configuration, builds the server and awaits `Server.serve`.
        more: Other errors of the configuration, whose text is printed instead of a traceback.
    """
    reported: tuple[type[Exception], ...] = (*_START_ERRORS, *more)
    try:
        return _run(serve)
    except reported as error:
        with suppress(OSError):  # Nobody may be reading.
            sys.stderr.write(f"{error}\n")
        return 2
    finally:
        _leave_unread_log()


def _run(serve: Callable[[], Coroutine[None, None, None]]) -> int:
    signalled: list[int] = []
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(until_signal(serve(), signalled))
    except asyncio.CancelledError:
        if not signalled:
            raise
        return exit_code(signalled[0])
    return 0


def _leave_unread_log() -> None:
    """Drop lines that cannot be written: Python would end with 120 because of them.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
