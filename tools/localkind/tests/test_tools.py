"""The programs that localkind builds from Go modules."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from localkind import paths, tools
from localkind.progress import Progress

PROGRAMS = paths.SOURCE_ROOT / "programs"
QUIET = Progress(quiet=True)


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Path]]:
    """The commands that would run Go, each with its directory; every build succeeds."""
    commands: list[tuple[list[str], Path]] = []

    def run(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> str:
        assert env["GOFLAGS"] == ""
        words = [str(word) for word in command]
        commands.append((words, cwd))
        Path(words[words.index("-o") + 1]).write_text("program")
        return ""

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(tools, "ensure_go", lambda _progress: Path("go"))
    return commands


def test_every_program_is_in_the_one_module() -> None:
    """Its folders and the `tool` of go.mod."""
    module = (PROGRAMS / "go.mod").read_text().splitlines()
    foreign = {line.removeprefix("tool ") for line in module if line.startswith("tool ")}
    own = {f"./{path.parent.name}" for path in PROGRAMS.glob("*/main.go")}
    assert set(tools.PACKAGES.values()) == own | foreign


def test_what_programs_share_is_compiled_once(builds: list[tuple[list[str], Path]]) -> None:
    """Go compiles a package anew for another version of it, other tags or other flags."""
    for name in tools.PACKAGES:
        tools.ensure(name, QUIET)

    different = {(tuple(w for w in words[:-1] if "/" not in w), cwd) for words, cwd in builds}
    assert [words[-1] for words, _ in builds] == list(tools.PACKAGES.values())
    assert len(different) == 1


def test_a_program_is_built_once(builds: list[tuple[list[str], Path]]) -> None:
    """The second time it is in the cache."""
    assert tools.ensure("kt", QUIET) == tools.ensure("kt", QUIET)
    assert len(builds) == 1


def test_a_change_of_one_program_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, builds: list[tuple[list[str], Path]]
) -> None:
    """But a change of the modules is one of all programs."""
    module = tmp_path / "programs"
    for name in ("kt", "pause"):
        (module / name).mkdir(parents=True)
        (module / name / "main.go").write_text(name)
    for name in ("go.mod", "go.sum"):
        (module / name).write_text(name)
    monkeypatch.setattr(tools, "_MODULE", module)
    before = [tools.ensure(name, QUIET) for name in ("kt", "pause")]

    (module / "kt/main.go").write_text("changed")
    kt, pause = (tools.ensure(name, QUIET) for name in ("kt", "pause"))
    assert (kt != before[0], pause != before[1]) == (True, False)

    (module / "go.sum").write_text("changed")
    assert {tools.ensure(name, QUIET) for name in ("kt", "pause")}.isdisjoint({kt, pause})
    assert len(builds) == 5
