"""A reader who follows a tutorial: writes its files, types its commands, sees what is shown."""

import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs import tutorial_wheel
from tests.docs.pages import ROOT
from tests.docs.tutorial_page import Block, Command
from tests.waiting import HANG, wait_until

SERVE = "python -m quote_service"
_PORTS = {"50051": "PORT", "9090": "METRICS_PORT"}
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "TIME"),
    (re.compile(r"ms=[\d.]+"), "ms=MS"),
    (re.compile(r"request_id=\S+"), "request_id=ID"),
    (re.compile(r"\bin [\d.]+s$"), "in SECONDS"),
)
"""What is another one each time: times, durations, ids."""


def same_each_time(line: str) -> str:
    """Returns the line without what is another one each time."""
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line


@dataclass
class Reader:
    """Sits in an empty folder beside a checkout, with this repository's Python and no network."""

    home: Path
    ports: dict[str, int]
    """The free ports that stand for the page's, by variable."""
    server: subprocess.Popen[bytes] | None = None
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.project.mkdir()
        (self.home / "grpc-operator").symlink_to(ROOT)
        backend = self.home / "backend" / "hatchling"
        backend.mkdir(parents=True)
        (backend / "build.py").write_text(Path(tutorial_wheel.__file__).read_text())

    @property
    def project(self) -> Path:
        """The folder of the tutorial."""
        return self.home / "quotes"

    @property
    def log(self) -> Path:
        """What the server has written."""
        return self.home / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """The packages that pip would download are those of this environment."""
        scripts = [self.project / ".venv" / "bin", sysconfig.get_path("scripts")]
        packages = [self.home / "backend", sysconfig.get_path("purelib")]
        return {
            "PATH": os.pathsep.join([*map(str, scripts), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(map(str, packages)),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say --no-build-isolation
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GRPC_TARGET": f"localhost:{self.ports['PORT']}",
            "HOME": str(self.home),
            **{name: str(port) for name, port in self.ports.items()},
        }

    def follow(self, block: Block) -> None:
        """Does what a block says."""
        if block.file is not None:
            path = self.project / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            self.written.append(block.file)
        elif block.language == "console":
            for command in block.commands:
                self.type(command)
        elif block.language == "log":
            self.stop(block.text.splitlines())

    def type(self, command: Command) -> None:
        """Runs a command, and compares what it says."""
        if command.line.endswith(SERVE):
            self.start(command)
            return
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=self.project,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=HANG,
        )
        said = [same_each_time(line) for line in done.stdout.splitlines()]
        shown = [same_each_time(line) for line in command.output]
        refused = bool(shown) and re.match(r"[A-Z_]+: ", shown[-1]) is not None

        assert said == shown, f"$ {command.line}\n{done.stdout}"
        assert done.returncode == int(refused), command.line

    def start(self, command: Command) -> None:
        """Starts the server in the background; returns when it says what the page shows."""
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec env {command.line}"],
                cwd=self.project,
                env=self.environment,
                stderr=log,
            )
        self._sees(list(command.output))

    def stop(self, shown: list[str]) -> None:
        """Waits until all calls are in the log, presses Ctrl-C, and compares the rest."""
        assert self.server is not None
        before = self._lines()
        calls = [line for line in shown if ".calls " in line]
        self._until(lambda: len(self._lines()) >= 2 + len(calls))
        self.server.send_signal(signal.SIGINT)

        assert self.server.wait(HANG) == 0
        assert self._lines()[2:] == [same_each_time(line) for line in shown], before

    def leave(self) -> None:
        """Ends what still runs."""
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()

    def _sees(self, shown: list[str]) -> None:
        self._until(lambda: len(self._lines()) >= len(shown))

        assert self._lines() == [same_each_time(line) for line in shown]

    def _until(self, condition: Callable[[], object]) -> None:
        server = self.server
        assert server is not None
        wait_until(lambda: condition() or server.poll() is not None, "the log has it")
        assert server.poll() is None, self.log.read_text()

    def _lines(self) -> list[str]:
        text = self.log.read_text()
        for shown, variable in _PORTS.items():
            text = re.sub(rf"port {self.ports[variable]}\b", f"port {shown}", text)
        return [same_each_time(line) for line in text.splitlines()]
