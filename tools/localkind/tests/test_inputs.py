"""An image is not built again when it was made of the same files."""

from pathlib import Path

import pytest

from localkind.images.inputs import Inputs, directory_digest


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_same_inputs_have_made_the_same_image() -> None:
    """Not another image that was given the name since, and none that is gone."""
    Inputs("localhost/gone:dev", "one").save(None)
    Inputs("localhost/web:dev", "one").save("sha256:1")

    made = [
        Inputs("localhost/web:dev", "one").made("sha256:1"),
        Inputs("localhost/web:dev", "one").made("sha256:2"),
        Inputs("localhost/gone:dev", "one").made(None),
        Inputs("localhost/web:dev", "two").made("sha256:1"),
        Inputs("localhost/api:dev", "one").made("sha256:1"),
    ]

    assert made == [True, False, False, False, False]


def test_every_change_of_a_directory_changes_its_digest(tmp_path: Path) -> None:
    """Of contents, names, modes and links, also of empty directories."""
    (tmp_path / "web").mkdir()
    file = tmp_path / "web/file"
    file.write_text("a")
    digests = [directory_digest(tmp_path / "web")]

    for change in (
        lambda: file.write_text("b"),
        lambda: file.chmod(0o700),
        lambda: file.rename(file.with_name("other")),
        lambda: (tmp_path / "web/link").symlink_to("other"),
        (tmp_path / "web/empty").mkdir,
    ):
        change()
        digests.append(directory_digest(tmp_path / "web"))

    assert len(set(digests)) == len(digests)
    assert directory_digest(tmp_path / "web") == digests[-1]
