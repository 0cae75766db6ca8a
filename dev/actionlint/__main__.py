"""Builds actionlint when the cache lacks this version, and runs it."""

import hashlib
import subprocess
import sys
from pathlib import Path

from localkind.cached import once
from localkind.commands import run
from localkind.errors import LocalKindError
from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go

HOME = Path(__file__).resolve().parent
SHELLCHECK = HOME.parents[1] / ".venv" / "bin" / "shellcheck"


def program(progress: Progress) -> Path:
    """Returns the path of actionlint, built from the module in this folder.

    Raises:
        LocalKindError: There is no Go toolchain, or the module cannot be had or built.
    """
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((HOME / name).read_bytes())
    target = cache_dir() / "bin" / f"actionlint-{digest.hexdigest()[:16]}"
    return once(target, progress, lambda draft: _build(draft, progress))


def _build(draft: Path, progress: Progress) -> None:
    go = ensure_go(progress)
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    with progress.step("Building actionlint (once, about half a minute)"):
        flags = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
        run([go, "build", *flags, "-o", str(draft), "."], env=environment, cwd=HOME)


def main() -> int:
    """Returns the exit code of actionlint, or 1 when it cannot be built."""
    try:
        path = program(Progress())
    except LocalKindError as error:
        print(f"actionlint: {error}", file=sys.stderr)
        return 1
    command = [str(path), "-shellcheck", str(SHELLCHECK), "-pyflakes=", *sys.argv[1:]]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
