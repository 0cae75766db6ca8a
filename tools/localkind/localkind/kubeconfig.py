"""The user's kubeconfig file: a cluster's entries added and removed, the rest unchanged.

The rules are kind's (pkg/cluster/internal/kubeconfig), which are kubectl's.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from localkind.errors import LocalKindError

_LISTS = ("clusters", "contexts", "users")
_LOCK_SECONDS = 10.0


def merge(config: dict[str, Any], explicit: str | None) -> None:
    """Put the entries of `config` into the kubeconfig and make its context the current one.

    Args:
        config: a kubeconfig with one cluster, one user and one context.
        explicit: the value of `--kubeconfig`; None for $KUBECONFIG or ~/.kube/config.
    """
    path = _path_for_merge(paths(explicit))
    with _file_lock(path):
        existing = _read(path)
        for key in _LISTS:
            entry = config[key][0]
            entries = _entries(existing, key, path)
            names = [e["name"] for e in entries]
            if entry["name"] in names:
                entries[names.index(entry["name"])] = entry
            else:
                entries.append(entry)
            existing[key] = entries
        existing["current-context"] = config["current-context"]
        for key in ("apiVersion", "kind", "preferences"):
            existing.setdefault(key, config[key])
        _write(path, existing)


def remove(cluster_name: str, explicit: str | None) -> None:
    """Take the entries of the cluster out of every kubeconfig file that has them."""
    name = f"kind-{cluster_name}"
    for path in filter(Path.exists, paths(explicit)):
        with _file_lock(path):
            existing = _read(path)
            before = yaml.safe_dump(existing)
            for key in _LISTS:
                if entries := _entries(existing, key, path):
                    existing[key] = [e for e in entries if e["name"] != name]
            if existing.get("current-context") == name:
                existing["current-context"] = ""
            if yaml.safe_dump(existing) != before:
                _write(path, existing)


def paths(explicit: str | None) -> list[Path]:
    """The kubeconfig files to consider, in order, as kubectl does."""
    if explicit:
        return [Path(explicit)]
    listed = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    return [Path(p) for p in dict.fromkeys(listed) if p] or [Path.home() / ".kube/config"]


def _path_for_merge(candidates: list[Path]) -> Path:
    """The first that exists, or else the last."""
    return next((path for path in candidates if path.is_file()), candidates[-1])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LocalKindError(f"kubeconfig {path} cannot be read: {error}") from error
    if not isinstance(content, dict | None):
        raise LocalKindError(f"kubeconfig {path} is not a YAML mapping")
    return content or {}


def _entries(config: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    entries = config.get(key) or []
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and "name" in e for e in entries
    ):
        raise LocalKindError(f"kubeconfig {path}: {key} is not a list of named entries")
    return entries


def _write(path: Path, config: dict[str, Any]) -> None:
    """Replace the file, keeping a link to it and never leaving half of it behind."""
    target = path.resolve()
    draft = target.with_name(f"{target.name}.localkind-tmp")
    with open(draft, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        yaml.safe_dump(config, file, sort_keys=False, allow_unicode=True)
    draft.replace(target)


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """The lock file of client-go: kubectl and kind wait for it too (tools/clientcmd/loader.go)."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise LocalKindError(
                    f"kubeconfig is locked: remove {lock} if no kubectl or kind is running"
                ) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
