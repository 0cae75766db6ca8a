"""Parts of the proxies' library, compiled so that their mistakes end the process.

The compiler adds checks for undefined behavior, and every text ends where memory ends, so that
reading beyond it is noticed, too.
"""

import ctypes
import mmap
import subprocess
import sys
from pathlib import Path

import proxy_module

SOURCES = Path(proxy_module.__file__).parent
_CHECKED = (
    *("-std=c11", "-O1", "-g", "-shared", "-fPIC", "-fno-omit-frame-pointer"),
    *("-fsanitize=undefined", "-fsanitize-trap=undefined"),
)


def checked(folder: Path, *sources: str) -> ctypes.CDLL:
    """Compiles some of the sources, and loads them.

    Args:
        folder: Where to write the library.
        sources: Names of the files.
    """
    library = folder / "checked.so"
    compiler = [sys.executable, "-m", "ziglang", "cc", *_CHECKED]
    subprocess.run([*compiler, "-o", library, *(SOURCES / each for each in sources)], check=True)
    return ctypes.CDLL(str(library))


class Text(ctypes.Structure):
    """``struct text``."""

    _fields_ = [("bytes", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Guarded:
    """Memory with none after it, at whose end a text is put."""

    def __init__(self) -> None:
        self._pages = mmap.mmap(-1, 32 * mmap.PAGESIZE)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self._pages))
        self._end = first + 31 * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.mprotect(ctypes.c_void_p(self._end), mmap.PAGESIZE, 0) == 0

    def text(self, data: bytes) -> Text:
        """Puts a text there; it is valid until the next one is put."""
        address = self._end - len(data)
        ctypes.memmove(address, data, len(data))
        return Text(address, len(data))
