"""File locks between localkind processes; the kernel drops them when their holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localkind.paths import RUN_ROOT
from localkind.progress import Progress


@contextmanager
def locked(path: Path, progress: Progress, what: str) -> Iterator[None]:
    """Hold the lock file `path`, waiting for another holder, and remove the file at the end.

    Args:
        path: the lock file; its directory is made when it is missing.
        progress: reports when another process holds the lock.
        what: what the lock stands for, for that message.
    """
    descriptor = _acquire(path, progress, what)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def cluster(name: str, progress: Progress) -> Iterator[None]:
    """Be the only localkind that creates, deletes or changes the cluster `name`."""
    with locked(RUN_ROOT / f"{name}.lock", progress, f'cluster "{name}"'):
        yield


@contextmanager
def list_of_clusters(progress: Progress) -> Iterator[None]:
    """Be the only localkind that adds or removes a cluster's record, for a short time."""
    with locked(RUN_ROOT / ".clusters.lock", progress, "the list of clusters"):
        yield


def _acquire(path: Path, progress: Progress, what: str) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    reported = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not reported:
                    progress.info(f"Waiting for another localkind that is using {what} ...")
                    reported = True
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_current(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one at `path`: its last holder has unlinked it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
