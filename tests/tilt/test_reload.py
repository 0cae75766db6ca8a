"""The reloader, as the process it is in a pod: a real program, real files, real signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import HANG, wait_until

ROOT = Path(__file__).parents[2]

_RUN = """
import sys
from pathlib import Path
from tilt.reload import reload
source, copy, pause, *command = sys.argv[1:]
sys.exit(reload(Path(source), Path(copy), [sys.executable, *command], float(pause)))
"""
_SERVER = """
import signal, sys, time
def leave(*_):
    sys.exit(7)
signal.signal(signal.SIGTERM, leave)
print({word!r}, flush=True)
while True:
    time.sleep(0.1)
"""


@dataclass
class Pod:
    """A reloader under test.

    Attributes:
        copy: Where the code runs from, and what Tilt would sync into.
        output: What the program and the reloader have printed.
    """

    process: "subprocess.Popen[str]"
    copy: Path
    output: Path

    def write(self, text: str) -> None:
        """Changes the program as Tilt does."""
        (self.copy / "program" / "__main__.py").write_text(text)

    def until(self, holds: Callable[[str], bool]) -> None:
        """Waits until the output is as expected."""

        def read() -> bool:
            text = self.output.read_text()
            assert holds(text), text
            return True

        wait_until(read, "the output is as expected")

    def stop(self) -> int:
        """Ends the reloader as the kubelet does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(HANG)


@contextmanager
def reloader(folder: Path, output: Path, pause: float = HANG) -> Iterator[Pod]:
    """Runs the reloader; it ends with its program, which starts again by itself after a pause."""
    folders = folder / "src", folder / "copy"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN, *folders, str(pause), "-m", "program"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "dev")},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    pod = Pod(process, folder / "copy", output)
    try:
        yield pod
    finally:
        pod.stop()


@pytest.fixture
def pause() -> float:
    """Longer than any test waits: what runs again runs because of a change."""
    return 2 * HANG


@pytest.fixture
def pod(tmp_path: Path, pause: float) -> Iterator[Pod]:
    """A program that says "first" and then serves, under the reloader."""
    program = tmp_path / "src" / "program"
    program.mkdir(parents=True)
    (program / "__main__.py").write_text(_SERVER.format(word="first"))
    with reloader(tmp_path, tmp_path / "output", pause) as running:
        running.until(lambda text: "first\n" in text)
        yield running


def test_a_synced_change_runs(pod: Pod) -> None:
    """The program runs again with the new code; the image's own code stays as it was."""
    pod.write(_SERVER.format(word="second"))

    pod.until(lambda text: "second\n" in text)


def test_broken_code_waits_for_the_fix(pod: Pod) -> None:
    """A program that cannot start does not end the container, and the fixed one runs at once."""
    pod.write("this is not Python")
    pod.until(lambda text: "ended with exit code 1" in text)

    pod.write(_SERVER.format(word="fixed"))

    pod.until(lambda text: "fixed\n" in text)


@pytest.mark.parametrize("pause", [0.1])
def test_a_program_that_ends_is_started_again(pod: Pod) -> None:
    """An operator that has lost its Lease ends so that a fresh process starts."""
    pod.write("print('once', flush=True)")

    pod.until(lambda text: text.count("once\n") >= 2)


def test_sigterm_reaches_the_program(pod: Pod) -> None:
    """The program ends in its own way, and the reloader with its exit code."""
    assert pod.stop() == 7


def test_what_was_synced_outlives_the_container(pod: Pod, tmp_path: Path) -> None:
    """A restarted container of the same pod goes on with the newest code."""
    pod.write(_SERVER.format(word="newest"))
    pod.until(lambda text: "newest\n" in text)
    pod.stop()

    with reloader(tmp_path, tmp_path / "output-of-the-next") as again:
        again.until(lambda text: text == "newest\n")
