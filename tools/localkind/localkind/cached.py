"""Files that are made once and kept, such as programs that are built."""

from collections.abc import Callable
from pathlib import Path

from localkind.locks import locked
from localkind.progress import Progress


def once(target: Path, progress: Progress, make: Callable[[Path], None]) -> Path:
    """Make a file that does not exist yet: under a lock, and put in place only when whole.

    Args:
        target: where it is kept; its name says all that decides what is in it.
        progress: reports when another process makes it.
        make: writes it to the path that it is given.
    """
    if target.exists():
        return target
    with locked(target.with_name(f"{target.name}.lock"), progress, target.name):
        if not target.exists():
            draft = target.with_name(f"{target.name}.tmp")
            make(draft)
            draft.replace(target)
    return target
