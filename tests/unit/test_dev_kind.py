"""`dev/bin/kind`, as people and tools call it."""

import shutil
import subprocess
from pathlib import Path

KIND = Path(__file__).parents[2] / "dev" / "bin" / "kind"


def test_it_works_from_any_directory_and_through_a_link(tmp_path: Path) -> None:
    """Tools call it by its path, from wherever they are."""
    link = tmp_path / "kind"
    link.symlink_to(KIND)

    done = subprocess.run(
        [link, "version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "linux/" in done.stdout


def test_without_an_environment_it_says_what_to_run(tmp_path: Path) -> None:
    """One line on stderr that names the file and the command, and exit code 1."""
    kind = tmp_path / "dev" / "bin" / "kind"
    kind.parent.mkdir(parents=True)
    shutil.copy(KIND, kind)

    done = subprocess.run([kind, "get", "clusters"], capture_output=True, text=True, check=False)

    expected = f"error: {tmp_path}/.venv/bin/localkind is missing; run: make -C {tmp_path} init\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
