"""Runs every linter, all of them even if one finds something, and names those that did."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv" / "bin"
# The operator is installed; the kit and the services are not (docs/adr/0012-two-environments.md).
_SERVICES_PATH = "PYTHONPATH=services/kit:services/order:services/product:services/user"


def _tracked(*patterns: str) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def _shell_scripts() -> list[str]:
    return [
        name
        for name in _tracked("dev/bin/*", ".ci/*", "operator/*.sh", "dev/images/*.sh")
        if (ROOT / name).read_text().startswith(("#!/bin/sh", "#!/usr/bin/env bash"))
    ]


def _commands() -> dict[str, list[str]]:
    python = str(BIN / "python")
    return {
        "ruff check": [str(BIN / "ruff"), "check", "--quiet"],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet"],
        "import-linter": ["env", _SERVICES_PATH, str(BIN / "lint-imports"), "--no-cache"],
        "buf lint": [python, "-m", "generate.protos", "lint"],
        "buf breaking": [python, "-m", "generate.protos", "breaking"],
        "shellcheck": [str(BIN / "shellcheck"), *_shell_scripts()],
        "hadolint": [str(BIN / "hadolint"), *_tracked("*Dockerfile")],
        "yamllint": [str(BIN / "yamllint"), "--strict", "."],
    }


def main() -> int:
    """Returns the exit code: 1 when a linter found something."""
    failed = []
    for name, command in _commands().items():
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if done.returncode:
            failed.append(name)
            print(f"== {name}\n{done.stdout}{done.stderr}", end="")
    print(f"lint failed: {', '.join(failed)}" if failed else "lint: ok")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
