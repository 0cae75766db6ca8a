"""Where localkind keeps things: what it builds, what a cluster stores, and what runs."""

import os
from pathlib import Path

RUN_ROOT = Path("/run/localkind")
"""Short on purpose: the path of a Unix socket ends at 107 bytes (unix(7))."""

SOURCE_ROOT = Path(__file__).resolve().parent


def cache_dir() -> Path:
    """Built tools and images: `$XDG_CACHE_HOME/grpc-operator`, kept between clusters."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "grpc-operator"


def state_dir(name: str) -> Path:
    """The disk of the cluster `name`: `$XDG_STATE_HOME/grpc-operator/localkind/NAME`."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "grpc-operator" / "localkind" / name


def run_dir(name: str) -> Path:
    """Sockets, pid files, mounts and the record of the cluster `name`."""
    return RUN_ROOT / name


def _xdg(variable: str, default: str) -> Path:
    """The XDG base directory; a relative value is invalid and ignored (XDG spec 0.8)."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default
