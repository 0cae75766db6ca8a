"""The compiled library of ``operator/proxy_module``, which proxies load."""

from functools import cache
from importlib import resources
from pathlib import Path

ARCHITECTURES = ("aarch64", "x86_64")
"""Names as in ``uname --machine``."""

LIBRARY = "libgrpc_operator.so"
"""Envoy finds the module by this name."""


class NotBuiltError(Exception):
    """The package was installed from sources in which the library had not been compiled."""


@cache
def library(architecture: str) -> bytes:
    """Returns the library for an architecture.

    Raises:
        NotBuiltError: There is none.
    """
    file = resources.files(__package__) / architecture / LIBRARY
    if not file.is_file():
        raise NotBuiltError(f"there is no {architecture}/{LIBRARY}: run `make init`")
    return file.read_bytes()


def search_path(folder: str = str(Path(__file__).parent)) -> str:
    """Returns a value of ``LD_LIBRARY_PATH`` with which Envoy finds the library.

    It names the folders of all architectures: the dynamic loader passes over libraries of others
    than its own.

    Args:
        folder: The one with a folder for each architecture; by default this package's.
    """
    return ":".join(f"{folder}/{architecture}" for architecture in ARCHITECTURES)
