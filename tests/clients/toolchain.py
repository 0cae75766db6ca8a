"""What builds and runs the examples: Go, Node.js and Chromium, and the commands of their README."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "examples/clients/README.md"
SERVERS = ROOT / "examples/servers/README.md"
_SECTION = re.compile(r"^#+ (.+?)\n(.*?)(?=^#+ |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INSTALL_CHROMIUM = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]


def commands(section: str, page: Path = README) -> list[str]:
    """Returns the command lines that a README has below a heading."""
    # Comments in shell blocks look like headings, so the blocks hide from the search for those.
    text = page.read_text()
    blocks = _BLOCK.findall(text)
    hidden = _BLOCK.sub("<block>", text)
    count = 0
    for title, body in _SECTION.findall(hidden):
        inside = body.count("<block>")
        if title == section:
            return [line for block in blocks[count : count + inside] for line in block.splitlines()]
        count += inside
    raise AssertionError(f"{page}: no section {section!r}")


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
