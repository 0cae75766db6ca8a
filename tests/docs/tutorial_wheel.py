"""A build backend (PEP 517) in place of hatchling, which tests without a network cannot get.

It makes the wheel of a distribution whose version and dependencies stand in its pyproject.toml,
as the kit's do. It is imported by pip, from the folder of the distribution.
"""

import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def build_wheel(
    wheel_directory: str,
    config_settings: Any = None,
    metadata_directory: Any = None,
) -> str:
    """Makes the wheel and returns its name."""
    settings = tomllib.loads(Path("pyproject.toml").read_text())
    project, target = settings["project"], settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    files = {
        str(path): path.read_text()
        for package in target["packages"]
        for path in sorted(Path(package).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    info = f"{stem}.dist-info"
    files[f"{info}/METADATA"] = "".join(f"{line}\n" for line in _metadata(project))
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [*files, f"{info}/RECORD"]
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in record)
    wheel = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory, wheel), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def _metadata(project: dict[str, Any]) -> Iterator[str]:
    yield "Metadata-Version: 2.1"
    yield f"Name: {project['name']}"
    yield f"Version: {project['version']}"
    for requirement in project["dependencies"]:
        yield f"Requires-Dist: {requirement}"
