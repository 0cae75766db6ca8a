"""What people install: the hashed requirements are those of the lock."""

import re
import tomllib
from pathlib import Path
from typing import Any

SERVICE = Path(__file__).resolve().parents[1]


def locked() -> dict[str, Any]:
    lock = tomllib.loads((SERVICE / "uv.lock").read_text())
    return {package["name"]: package for package in lock["package"]}


def runtime_names(packages: dict[str, Any]) -> set[str]:
    """Return the names of everything the service needs at run time, itself left out."""
    found: set[str] = set()
    open_ones: list[dict[str, Any]] = [{"name": "user-service"}]
    while open_ones:
        wanted = open_ones.pop()
        package = packages[wanted["name"]]
        extras = package.get("optional-dependencies", {})
        for dependency in (
            *package.get("dependencies", []),
            *(entry for extra in wanted.get("extra", []) for entry in extras[extra]),
        ):
            if dependency["name"] not in found:
                found.add(dependency["name"])
                open_ones.append(dependency)
    return found


def test_requirements_are_the_lock() -> None:
    packages = locked()
    names = runtime_names(packages)
    expected = {
        f"{name}=={packages[name]['version']}": {
            file["hash"] for file in [packages[name]["sdist"], *packages[name]["wheels"]]
        }
        for name in names
        if "editable" not in packages[name]["source"]  # The kit, which images copy.
    }
    text = (SERVICE / "requirements.txt").read_text().replace("\\\n", " ")
    required = {
        line.split()[0]: set(re.findall(r"--hash=(\S+)", line))
        for line in text.splitlines()
        if not line.startswith("#")
    }

    assert required == expected


def test_all_grpc_packages_are_of_one_release() -> None:
    """They are released together, and generated stubs refuse an older runtime."""
    packages = locked()
    versions = {
        packages[name]["version"] for name in runtime_names(packages) if name.startswith("grpcio")
    }

    assert len(versions) == 1
