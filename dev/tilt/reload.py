"""Runs a module of an image, and restarts it whenever Tilt has synced a change into the container.

    /app/bin/python /reload/reload.py MODULE [ARGUMENT ...]

The pod is as in production: the root file system read-only, any user. The code of the image is
copied from /app/src to /tmp/src, Tilt syncs into the copy, and the module runs from it. A program
that exits by itself is restarted after a pause, or at once when the next change arrives.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

SOURCE = Path("/app/src")
COPY = Path("/tmp/src")  # noqa: S108 - a mount of the pod's own

_POLL = 0.3
"""Seconds between two scans of the code; a change is complete when the next scan finds no more."""
_PAUSE = 5.0
"""Seconds before a program that exited by itself is restarted."""

Snapshot = dict[str, tuple[int, int]]
"""Path to modification time (ns) and size."""


def reload(source: Path, copy: Path, command: list[str], pause: float = _PAUSE) -> int:
    """Runs a command from a copy of the code until SIGTERM; returns its last exit code.

    ``pause`` is in seconds, before a program that ended by itself is started again.
    """
    if not copy.exists():  # it outlives a restart of the container, and with it what was synced
        shutil.copytree(source, copy)
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while True:
        seen = snapshot(copy)
        child = subprocess.Popen(command, env=environment)
        _wait(child, copy, seen, stop, pause)
        child.terminate()
        code = child.wait()
        if stop.is_set():
            return code


def snapshot(folder: Path) -> Snapshot:
    """Returns what differs between two states of the code."""
    found = {}
    for path in folder.rglob("*"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # removed during the scan; the next one reports it
        found[str(path)] = (stat.st_mtime_ns, stat.st_size)
    return found


def _wait(
    child: "subprocess.Popen[bytes]",
    copy: Path,
    seen: Snapshot,
    stop: threading.Event,
    pause: float,
) -> None:
    """Returns on SIGTERM, after a change, or a pause after the program has exited by itself."""
    left: float | None = None
    while not stop.wait(_POLL):
        now = snapshot(copy)
        if now != seen:
            _settle(copy, now, stop)
            _report("the code has changed")
            return
        if child.poll() is None:
            continue
        if left is None:
            left = pause
            _report(f"ended with exit code {child.returncode}; restarts in {pause:.0f} s")
        left -= _POLL
        if left <= 0:
            return


def _settle(copy: Path, now: Snapshot, stop: threading.Event) -> None:
    while not stop.wait(_POLL):
        before, now = now, snapshot(copy)
        if before == now:
            return


def _report(what: str) -> None:
    print(f"reload: {what}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    if not arguments:
        print("usage: reload.py MODULE [ARGUMENT ...]", file=sys.stderr)
        return 2
    return reload(SOURCE, COPY, [sys.executable, "-m", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
