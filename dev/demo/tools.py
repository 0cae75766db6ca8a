"""Commands of the demo: run, shown, and named when they fail."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
KIND = ROOT / "dev" / "bin" / "kind"
GRPCOP = ROOT / ".venv" / "bin" / "grpcop"
KUBECTL = ROOT / ".venv" / "bin" / "kubectl"


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


@contextmanager
def step(title: str) -> Iterator[None]:
    """Prints a heading, and how long the step took."""
    print(f"\n== {title}", flush=True)
    started = time.monotonic()
    yield
    print(f"   ({time.monotonic() - started:.0f} s: {title})", flush=True)


def at_once(*parts: Callable[[], None]) -> None:
    """Runs parts of the demo at the same time, each to its end.

    Raises:
        DemoError: Of the first part that failed; printed at once, as the others may take minutes.
    """
    failed: list[DemoError] = []
    with ThreadPoolExecutor(len(parts)) as pool:
        for done in as_completed([pool.submit(part) for part in parts]):
            try:
                done.result()
            except DemoError as error:
                print(f"error: {error}", file=sys.stderr, flush=True)
                failed.append(error)
    if failed:
        raise failed[0]


def kubeconfig() -> Path:
    """The demo's own kubeconfig, so that the user's current context does not change."""
    path = ROOT / ".build" / "demo.kubeconfig"
    path.parent.mkdir(exist_ok=True)
    return path


def run(*command: str | Path, show: bool = False) -> str:
    """Runs a command against the demo's cluster and returns what it printed.

    Args:
        command: Program and arguments.
        show: Print the command line before and its output after.

    Raises:
        DemoError: It failed.
    """
    words = [str(word) for word in command]
    if show:
        print(f"$ {shlex.join([Path(words[0]).name, *words[1:]])}", flush=True)
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(kubeconfig())},
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=None if show else subprocess.PIPE,
    )
    if show and done.stdout:
        print(done.stdout, end="", flush=True)
    if done.returncode:
        output = f"\n{done.stdout}{done.stderr or ''}".rstrip()
        raise DemoError(f"{' '.join(words)} failed with exit code {done.returncode}{output}")
    return done.stdout


def stream(*command: str | Path) -> None:
    """Runs a command whose own progress is shown as it comes.

    Raises:
        DemoError: It failed.
    """
    words = [str(word) for word in command]
    env = {**os.environ, "KUBECONFIG": str(kubeconfig())}
    if subprocess.run(words, cwd=ROOT, env=env, check=False).returncode:
        raise DemoError(f"{' '.join(words)} failed")


def python(*arguments: str) -> tuple[str, ...]:
    """Returns the command line of a module of this repository."""
    return (sys.executable, "-m", *arguments)
