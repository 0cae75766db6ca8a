"""Runs a plan and prints the result: JSON in short lines on stdout, progress on stderr.

Exit code 0: every call succeeded; 1: some failed; 2: the plan is wrong.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from tests.load.plan import Plan
from tests.load.run import read_plan, run


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("plan", help="a file with a plan in JSON, or the JSON itself")
    text = parser.parse_args().plan
    try:
        plan = read_plan(text if text.startswith("{") else Path(text).read_text())
    except (ValidationError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command-line tool
        return 2
    return asyncio.run(_run(plan))


async def _run(plan: Plan) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    result = await run(plan, stop)
    # In a pod both become one log, in which a line of more than 16 KiB is torn apart.
    text = json.dumps({"target": plan.target, "loads": result}, indent=1)
    print(text, flush=True)  # noqa: T201 - a command-line tool
    return int(any(load["failed"] for load in result))


if __name__ == "__main__":
    sys.exit(main())
