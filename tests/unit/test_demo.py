"""`make demo`: what it does at the same time, and the commands that it ends with."""

import subprocess
import sys
from io import StringIO
from pathlib import Path
from threading import Barrier, Event

import pytest

from demo import __main__ as demo
from demo.__main__ import next_steps
from demo.tools import DemoError, at_once, kubeconfig
from grpc_operator import __version__
from images import __main__ as images
from images.build import EXAMPLES, IMAGES, Image

ROOT = Path(__file__).parents[2]


def commands() -> list[str]:
    """Returns the lines to paste."""
    return [line.strip() for line in next_steps().splitlines() if line.startswith("  ")]


def test_the_commands_find_kubectl_and_the_kubeconfig(tmp_path: Path) -> None:
    """From any directory, with nothing but the system on PATH."""
    setup = [line for line in commands() if not line.startswith(("kubectl ", "grpcop "))]
    calls = ["kubectl version --client", "grpcop version", 'echo "$KUBECONFIG"']
    script = "\n".join([*setup, *calls])

    done = subprocess.run(
        ["/bin/sh", "-euc", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.startswith("Client Version: v")
    assert done.stdout.splitlines()[-2:] == [__version__, str(kubeconfig())]


def test_a_checkout_in_any_folder_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path with spaces and quotes stays one word, also after the alias is expanded."""
    folder = tmp_path / "it's $(mine) now"
    folder.mkdir()
    programs = {name: folder / name.lower() for name in ("GRPCOP", "KUBECTL")}
    for name, program in programs.items():
        program.write_text('#!/bin/sh\necho "$0 $# $KUBECONFIG"\n')
        program.chmod(0o755)
        monkeypatch.setattr(demo, name, program)
    monkeypatch.setattr(demo, "kubeconfig", lambda: folder / "config")

    done = subprocess.run(
        ["/bin/sh", "-eu"], input="\n".join(commands()), check=True, capture_output=True, text=True
    )

    called = [("KUBECTL", 3), ("GRPCOP", 2), ("GRPCOP", 2), ("GRPCOP", 3)]
    expected = [f"{programs[name]} {count} {folder}/config" for name, count in called]
    assert done.stdout.splitlines() == expected


def test_the_readme_has_the_same_commands() -> None:
    """Who reads before running finds kubectl too."""
    block = (ROOT / "README.md").read_text().split("After `make demo`:\n\n```sh\n")[1]
    shown = block.split("```")[0].replace("$PWD", str(ROOT)).splitlines()

    assert shown == commands()[: len(shown)]
    assert len(shown) == 6


def test_parts_run_at_the_same_time() -> None:
    """Each waits for the other."""
    barrier = Barrier(2, timeout=30)
    shown: list[int] = []

    at_once(lambda: shown.append(barrier.wait()), lambda: shown.append(barrier.wait()))

    assert sorted(shown) == [0, 1]


class _Screen(StringIO):
    """Standard error on which something is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.has_error = Event()

    def write(self, text: str) -> int:
        if "no space is left" in text:
            self.has_error.set()
        return super().write(text)


def test_a_part_that_fails_is_reported_while_the_others_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they build is there the next time."""
    screen = _Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    seen: list[bool] = []

    def fails() -> None:
        raise DemoError("no space is left")

    with pytest.raises(DemoError, match="no space is left"):
        at_once(lambda: seen.append(screen.has_error.wait(30)), fails)

    assert seen == [True]


@pytest.mark.parametrize(
    ("options", "built"), [([], {*IMAGES, *EXAMPLES}), (["--no-examples"], set(IMAGES))]
)
def test_the_demo_builds_no_examples(
    monkeypatch: pytest.MonkeyPatch, options: list[str], built: set[Image]
) -> None:
    """Their code generators and npm would take a minute."""
    seen: list[Image] = []
    monkeypatch.setattr(images, "provider", lambda: "kind")
    monkeypatch.setattr(images, "build", lambda image, _engine: seen.append(image))
    monkeypatch.setattr(sys, "argv", ["images", *options])

    assert images.main() == 0

    assert set(seen) == built
