"""Makes checks: all at the same time, each within a limit of its own, none stopped by another."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from grpc_operator.cli.check.model import Check, Known, Result, Status, Verdict, failed
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.known_errors import known as known_error

_PASSED = (Status.OK, Status.WARNING)


async def made(checks: Sequence[Check], known: Known, limit: float) -> AsyncIterator[Result]:
    """Yields the result of each check, in their order, as soon as it is there.

    Args:
        checks: Those that others depend on come first.
        known: What they share.
        limit: Seconds for each check, without those that it waits for.
    """
    tasks: dict[str, asyncio.Task[Verdict]] = {}
    for check in checks:
        tasks[check.name] = asyncio.create_task(_one(check, dict(tasks), known, limit))
    try:
        for check in checks:
            yield Result(check, await tasks[check.name])
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _one(
    check: Check, earlier: Mapping[str, asyncio.Task[Verdict]], known: Known, limit: float
) -> Verdict:
    for name in check.after:
        if name in earlier and (await earlier[name]).status not in _PASSED:
            return Verdict(Status.SKIPPED, f"not checked, because {name} did not succeed")
    try:
        async with asyncio.timeout(limit):
            return await check.run(known)
    except TimeoutError:
        return failed(f"no result within {limit:g} s", "Give it longer with --timeout 10s.")
    except Exception as error:  # noqa: BLE001 - a defect of one check must not hide the others
        return _of_error(error)


def _of_error(error: Exception) -> Verdict:
    try:
        found = error if isinstance(error, CliError) else known_error(error)
    except Exception as unforeseen:  # noqa: BLE001 - see above
        return failed(f"{type(unforeseen).__name__}: {unforeseen}", "This is a defect of grpcop.")
    return failed(found.message, found.fix)
