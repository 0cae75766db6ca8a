"""All checks of a running server, each with a time limit of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live import (
    browsers,
    deadlines,
    health,
    interceptors,
    messages,
    reflection,
    retries,
    shutdown,
    status_codes,
    streams,
)
from grpc_operator.cli.lint.live.server import Server, connected
from grpc_operator.cli.lint.live.target import NotCheckedError, Target
from grpc_operator.cli.lint.report import Report
from grpc_operator.reflection import ReflectionError
from grpc_operator.reflection.client import fetch

Check = Callable[[Server], Awaitable[Iterator[Finding]]]

CHECKS: dict[str, Check] = {
    "GS101": browsers.check,
    "GS102": health.check,
    "GS103": deadlines.check,
    "GS104": retries.check,
    "GS105": messages.check,
    "GS106": streams.check,
    "GS107": reflection.check,
    "GS108": interceptors.check,
    "GS109": status_codes.check,
    "GS110": shutdown.check,  # the last one: it ends the server
}
"""In the order in which they are made."""


def check(target: Target) -> Report:
    """Returns what is wrong with a running server.

    Raises:
        CliError: Nothing answers at its address.
    """
    return asyncio.run(_check(target))


async def _check(target: Target) -> Report:
    report, data = Report(), target.descriptor
    if data is None:
        try:
            data = await fetch(target.address, target.timeout)
        except ReflectionError:
            data = None
    try:
        async with connected(target, data) as server:
            for code, made in CHECKS.items():
                await _make(report, code, made, server)
    except NotCheckedError as error:
        fix = "Start the server, or forward its port with kubectl port-forward."
        raise CliError(str(error), fix=fix) from error
    return report


async def _make(report: Report, code: str, made: Check, server: Server) -> None:
    """Makes one check; what goes wrong with it does not end the others."""
    try:
        async with asyncio.timeout(server.target.timeout):
            report.add(*await made(server))
    except NotCheckedError as error:
        report.unchecked.append(f"{code}: {error}")
    except TimeoutError:
        text = f"took more than {server.target.timeout:g} s; raise --timeout"
        report.unchecked.append(f"{code}: {text}")
