"""Sources with a value of another type somewhere: an answer with a line, never a traceback."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.golden import cases
from tests.unit.cli import run

HERE = Path(__file__).parent
_VALUES: list[Any] = [None, 0, -1, 10**30, 1.5, True, "", "x" * 300, [], [None], {}, {1: [{}]}]
_EACH = 6


@pytest.mark.parametrize("case", cases(HERE))
def test_any_value_anywhere(case: str, tmp_path: Path) -> None:
    """Whatever is refused is refused by file and line; what is taken is compared."""
    chosen = random.Random(case)  # noqa: S311 - the same places in every run
    for name in ("user", "order"):
        proto = HERE / "proto" / name / "v1" / f"{name}.proto"
        (tmp_path / "proto" / name / "v1").mkdir(parents=True)
        (tmp_path / proto.relative_to(HERE)).write_text(proto.read_text())
    file = tmp_path / "source.yaml"
    for _ in range(_EACH):
        documents = list(yaml.safe_load_all((HERE / f"{case}.in.yaml").read_text()))
        path = chosen.choice([each for each in _paths(documents) if len(each) > 1])
        parent: Any = documents
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = chosen.choice(_VALUES)
        file.write_text(yaml.safe_dump_all(documents))

        ran = run("import", "--check", str(file))

        assert ran.code == 0 or (ran.code == 2 and str(file) in ran.err), (path, ran.err)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if not isinstance(value, dict | list):
        return
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in children:
        yield from _paths(each, (*path, key))
