"""Runs the benchmarks; see README.md for what they measure."""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from tests.integration.cluster import ROOT

from bench import build_time, bulk, changes, data_plane, figures, kit, memory, shop, worst
from bench.errors import BenchError
from bench.figures import Figure

OUT = ROOT / "bench" / "out"
PARTS = ("protocols", "many", "changes", "bulk", "build", "memory", "worst", "kit", "shop")

_BEGIN = time.monotonic()


def main() -> int:
    """Runs the parts that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about 2 minutes; more noise")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    parts = arguments.parts or PARTS
    try:
        found = asyncio.run(_run(parts, quick=arguments.quick))
    except BenchError as error:
        _print(f"bench: {error}", sys.stderr)
        return 1
    _print(f"\n{figures.table(found)}")
    path = OUT / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    figures.write(path, found, _about(quick=arguments.quick))
    _print(f"\nwritten to {path.relative_to(ROOT)}")
    return 0


async def _run(parts: Sequence[str], *, quick: bool) -> list[Figure]:
    found = []
    for part in parts:
        _say(f"{part}: begins")
        found += await _runners(quick=quick)[part]()
    return found


def _runners(*, quick: bool) -> dict[str, Callable[[], Awaitable[list[Figure]]]]:
    kept = memory.Size((50, 100), 3) if quick else memory.Size((500, 1000), 10)
    return {**_others(quick=quick), "memory": lambda: memory.memory(kept, _say)}


def _others(*, quick: bool) -> dict[str, Callable[[], Awaitable[list[Figure]]]]:
    if quick:
        return _of_size(
            data_plane.Size(5, 3000, 300),
            changes.Size((10, 50), 30, 5),
            bulk.Size((50, 100)),
            kit.Size(5, 5000, 3),
            shop.Size(10),
        )
    return _of_size(
        data_plane.Size(9, 4, 1000),
        changes.Size((10, 100, 500, 1000), 100, 10),
        bulk.Size((400, 1000)),
        kit.Size(9, 20000, 5),
        shop.Size(30),
    )


def _of_size(
    calls: data_plane.Size,
    adds: changes.Size,
    creates: bulk.Size,
    kit_calls: kit.Size,
    orders: shop.Size,
) -> dict[str, Callable[[], Awaitable[list[Figure]]]]:
    async def build() -> list[Figure]:
        return build_time.build_times(adds.services, _say)

    return {
        "protocols": lambda: data_plane.protocols(calls, _say),
        "many": lambda: data_plane.many(calls, _say),
        "changes": lambda: changes.changes(adds, _say),
        "bulk": lambda: bulk.bulk(creates, _say),
        "build": build,
        "worst": lambda: worst.worst(_say),
        "kit": lambda: kit.kit(kit_calls, _say),
        "shop": lambda: shop.shop(orders, _say),
    }


def _print(text: str, to: TextIO = sys.stdout) -> None:
    print(text, file=to, flush=True)


def _say(text: str) -> None:
    _print(f"[{time.monotonic() - _BEGIN:6.1f} s] {text}")


def _about(*, quick: bool) -> dict[str, object]:
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "cpus": len(os.sched_getaffinity(0)),
        "machine": _processor(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def _processor() -> str:
    """Returns the name of the processor, or its architecture where the kernel knows no name."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
