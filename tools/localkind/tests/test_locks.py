"""Locks between localkind processes."""

import subprocess
import sys
import threading
from pathlib import Path

from localkind.locks import locked
from localkind.progress import Progress

QUIET = Progress(quiet=True)


def test_one_holder_at_a_time_and_no_file_afterwards(tmp_path: Path) -> None:
    """Removing the file must not let two holders in."""
    path = tmp_path / "a.lock"
    inside = 0
    most = 0

    def hold() -> None:
        nonlocal inside, most
        for _ in range(50):
            with locked(path, QUIET, "the test"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not path.exists()


def test_a_holder_that_is_killed_lets_go(tmp_path: Path) -> None:
    """The kernel drops its lock; the file that is left means nothing."""
    path = tmp_path / "a.lock"
    code = (
        "import sys, time; from pathlib import Path; from localkind.locks import locked; "
        "from localkind.progress import Progress\n"
        "with locked(Path(sys.argv[1]), Progress(quiet=True), 'x'): "
        "print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with locked(path, QUIET, "the test"):
        assert path.exists()
    assert not path.exists()
