"""``make conformance``: runs all suites directly, through a plain Envoy and through our gateway."""

import asyncio
import contextlib
import io
import sys
import time

from tests.conformance import between, programs
from tests.conformance.suites import SUITES, Conformance, Interop


async def _row(suite: Conformance | Interop, kind: str) -> bool:
    """Prints a line, and what failed; returns whether that is as expected."""
    start = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()):  # logs of proxies
        outcome = await suite.run(kind)
    taken = f"{time.monotonic() - start:.0f} s"
    print(
        f"{suite.name:46} {kind:12} {outcome.passed:6} / {outcome.total:5}  {taken:>5}", flush=True
    )
    for name in sorted(outcome.failed):
        print(f"    {name}: {suite.known.get(name, 'not known')}", flush=True)
    return kind != between.OURS or outcome.failed == suite.known.keys()


async def _main() -> int:
    programs.build()
    print(f"{'suite':46} {'gateway':12} {'passed':>6} / {'total':>5}", flush=True)
    rows = [await _row(suite, kind) for suite in SUITES for kind in between.KINDS]
    return 0 if all(rows) else 1


sys.exit(asyncio.run(_main()))
