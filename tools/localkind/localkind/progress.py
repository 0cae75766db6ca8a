"""What localkind reports while it works, in the style of kind's own output, on stderr."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

HEARTBEAT_SECONDS = 15.0


class Progress:
    """Writes status lines to `stream`; nothing at all when `quiet` (kind's `-q`)."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()
        self._detail = ""

    def info(self, text: str) -> None:
        """Write one status line."""
        if not self._quiet:
            with self._lock:
                print(text, file=self._stream, flush=True)

    def warn(self, text: str) -> None:
        """Write one line about something that is not as it was asked for."""
        self.info(f"WARNING: {text}")

    def detail(self, text: str) -> None:
        """Name what the current step is doing now; the next elapsed-time line shows it."""
        self._detail = text

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step, report the elapsed time while it runs, and mark its end."""
        self.info(f" • {title}  ...")
        self._detail = ""
        done = threading.Event()
        beat = threading.Thread(target=self._heartbeat, args=(title, done), daemon=True)
        beat.start()
        try:
            yield
        except BaseException:
            self._end(done, beat, f" ✗ {title}")
            raise
        self._end(done, beat, f" ✓ {title}")

    def _end(self, done: threading.Event, beat: threading.Thread, line: str) -> None:
        done.set()
        beat.join()
        self.info(line)

    def _heartbeat(self, title: str, done: threading.Event) -> None:
        start = time.monotonic()
        while not done.wait(HEARTBEAT_SECONDS):
            elapsed = round(time.monotonic() - start)
            self.info(f"   {title}: {self._detail or 'working'} ({elapsed} s)")
