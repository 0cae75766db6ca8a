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
    """Return the names of everything the service needs at run time, but for our own code."""
    found: set[str] = set()
    wanted = [("order-service", "")]
    while wanted:
        name, extra = wanted.pop()
        package = packages[name]
        found.add(name)
        needed = package.get("optional-dependencies", {}).get(extra, [])
        for dependency in needed if extra else package.get("dependencies", []):
            extras = dependency.get("extra", [])
            if dependency["name"] not in found:
                wanted.append((dependency["name"], ""))
            wanted += [(dependency["name"], wanted_extra) for wanted_extra in extras]
    return {name for name in found if "registry" in packages[name]["source"]}


def hashes(package: dict[str, Any]) -> set[str]:
    files = [*package["wheels"], *([package["sdist"]] if "sdist" in package else [])]
    return {file["hash"] for file in files}


def test_requirements_are_the_lock() -> None:
    packages = locked()
    expected = {
        f"{name}=={packages[name]['version']}": {
            file["hash"]
            for file in [packages[name].get("sdist"), *packages[name]["wheels"]]
            if file
        }
        for name in runtime_names(packages)
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
