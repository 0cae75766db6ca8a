"""The version, wherever it is repeated: pyproject.toml's is the only one that people write.

Operator, services, kit and chart are released together, so all have the same.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = "charts/grpc-operator/Chart.yaml"
PROJECTS = ("services/kit", "services/order", "services/product", "services/user")
_PLACES = {
    CHART: (
        r"(?m)^(version: ).*$",
        r'(?m)^(appVersion: ").*(?="$)',
        r"(ghcr\.io/grpc-operator/[a-z-]+:)\S+",
    ),
    "operator/grpc_operator/__init__.py": (r'(?m)^(__version__ = ").*(?="$)',),
    **{f"{project}/pyproject.toml": (r'(?m)^(version = ").*(?="$)',) for project in PROJECTS},
}
"""File -> patterns of what stands before a version, and of the version."""


def version() -> str:
    """Returns the project's version, such as `0.1.0`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def generate() -> dict[str, str]:
    """Returns the files that repeat the version by path.

    Raises:
        ValueError: A file no longer has a version where it is expected.
    """
    return {name: _with_version(name, patterns) for name, patterns in _PLACES.items()}


def _with_version(name: str, patterns: tuple[str, ...]) -> str:
    text = (ROOT / name).read_text()
    for pattern in patterns:
        text, count = re.subn(pattern, rf"\g<1>{version()}", text)
        if not count:
            raise ValueError(f"{name}: nothing matches {pattern}")
    return text
