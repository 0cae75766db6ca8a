"""Real kind is used where a Docker engine answers, localkind everywhere else."""

from pathlib import Path

import pytest

from localkind.provider import real_kind

ENGINE = "#!/bin/sh\necho 28.0.0\n"
NO_ENGINE = "#!/bin/sh\necho 'no engine' >&2\nexit 1\n"
KIND = "\x7fELF a program"
WRAPPER = '#!/bin/sh\nexec localkind "$@"\n'


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(directory: Path, name: str, content: str) -> Path:
    """Put a program into a directory."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(content)
    path.chmod(0o755)
    return path


def test_kind_is_used_where_an_engine_answers(directory: Path) -> None:
    """Containers are preferred to processes of the machine."""
    kind = install(directory, "kind", KIND)
    install(directory, "docker", ENGINE)
    assert real_kind() == str(kind)


def test_a_docker_client_without_an_engine_is_not_enough(directory: Path) -> None:
    """Kind could not create a cluster."""
    install(directory, "kind", KIND)
    assert real_kind() is None
    install(directory, "docker", NO_ENGINE)
    assert real_kind() is None


def test_an_engine_without_kind_is_not_enough(directory: Path) -> None:
    """Docker by itself does not create clusters."""
    install(directory, "docker", ENGINE)
    assert real_kind() is None


def test_a_script_that_runs_localkind_is_not_kind(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a script asks which of the two to use, and would run itself without end."""
    first, second = directory / "first", directory / "second"
    monkeypatch.setenv("PATH", f"{directory}:{first}:{second}")
    install(directory, "docker", ENGINE)
    install(first, "kind", WRAPPER)
    assert real_kind() is None
    kind = install(second, "kind", KIND)
    assert real_kind() == str(kind)
