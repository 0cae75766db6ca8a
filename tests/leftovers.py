"""Which processes a test session has started and not ended."""

import os
import time
import uuid
from pathlib import Path

from tests.waiting import HANG

_MARK = "GRPC_OPERATOR_TEST_SESSION"
"""A variable that all processes of a session inherit; also those whose parent has ended."""

_ENDS_WITH_ITS_PARENT = (b"multiprocessing.forkserver", b"multiprocessing.resource_tracker")
"""Python's own helpers; they read a pipe that closes when their parent ends."""


def mark() -> str:
    """Marks this process and all that it starts from now on; returns the mark."""
    os.environ[_MARK] = uuid.uuid4().hex
    return f"{_MARK}={os.environ[_MARK]}"


def left_over(marked: str) -> list[str]:
    """Returns ID and command line of each process that stays, after those that end have ended."""
    end = time.monotonic() + HANG
    while (found := _running(marked)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _running(marked: str) -> list[str]:
    own = os.getpid()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has ended, or is another user's
        mine = marked.encode() in variables or parent == own
        helper = any(name in word for name in _ENDS_WITH_ITS_PARENT for word in words)
        if mine and words[0] and int(folder.name) != own and not helper:  # a zombie has no words
            found.append(f"{folder.name}: {b' '.join(words).decode(errors='replace')}")
    return found
