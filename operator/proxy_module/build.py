"""Compiles the library for every architecture: run with ``python -m proxy_module.build [FOLDER]``.

The compiler is the one of the PyPI package ziglang: clang with the headers of every version of
glibc, so that any machine makes the same bytes for all architectures. Only the standard library is
needed besides: this also runs while the operator's image is built.
"""

import hashlib
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "grpc_operator" / "proxy_module"
"""Where the operator looks for the libraries."""

ARCHITECTURES = ("aarch64", "x86_64")
LIBRARY = "libgrpc_operator.so"

_GLIBC = "2.31"
"""The oldest one that Envoy's own releases run with."""

_FLAGS = (
    *("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"),
    *("-O2", "-g0", "-shared", "-fPIC", "-fvisibility=hidden"),
    # All addresses are known, and read-only, before the first call.
    *("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro", "-Wl,-z,now"),
    "-Wl,--strip-all",
)
_STAMP = ".built-from"


def build(target: Path) -> None:
    """Writes ``ARCHITECTURE/libgrpc_operator.so`` into a folder, unless it is up to date.

    Args:
        target: The folder.

    Raises:
        subprocess.CalledProcessError: The compiler refused the sources, and said why.
    """
    made_from = _digest()
    stamp = target / _STAMP
    wanted = [target / name / LIBRARY for name in ARCHITECTURES]
    if stamp.exists() and stamp.read_text() == made_from and all(map(Path.exists, wanted)):
        return
    for library in wanted:
        library.parent.mkdir(parents=True, exist_ok=True)
        _compile(library.parent.name, library)
    stamp.write_text(made_from)


def _compile(architecture: str, library: Path) -> None:
    """Replaces the library at once: a running Envoy keeps the one that it has loaded."""
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target"]
    compiler += [f"{architecture}-linux-gnu.{_GLIBC}", *_FLAGS]
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        made = Path(folder) / library.name
        sources = sorted(path.name for path in HERE.glob("*.c"))
        subprocess.run([*compiler, "-o", made, *sources], cwd=HERE, check=True)
        made.replace(library)


def _digest() -> str:
    """Returns a hash of all that decides about the bytes; this file is among it."""
    digest = hashlib.sha256(metadata.version("ziglang").encode())
    for path in sorted((*HERE.glob("*.[ch]"), Path(__file__))):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Returns the exit code."""
    build(Path(sys.argv[1]) if sys.argv[1:] else PACKAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
