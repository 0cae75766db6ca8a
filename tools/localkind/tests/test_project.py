"""localkind is a project of its own."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import localkind

PACKAGE = Path(localkind.__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"


def imported(file: Path) -> Iterator[str]:
    """The top-level names that a module imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_it_imports_the_standard_library_and_its_dependencies_only() -> None:
    """No package of the repository around it, and nothing that it does not declare."""
    names = {name for file in PACKAGE.rglob("*.py") for name in imported(file)}
    foreign = names - sys.stdlib_module_names - {"localkind"}
    distributions = packages_distributions()
    used = {d.lower() for name in foreign for d in distributions.get(name, [f"no package: {name}"])}
    dependencies = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    assert used == {re.split(r"[<>=]", entry)[0] for entry in dependencies}


def test_kubernetes_has_the_version_that_go_builds() -> None:
    """`version`, the warnings and the binary say the same."""
    modules = (PACKAGE / "programs/go.mod").read_text()
    assert f"k8s.io/kubernetes v{localkind.KUBERNETES_VERSION}\n" in modules
