"""The user's kubeconfig: merged into and removed from exactly as kind does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from localkind import kubeconfig
from localkind.errors import LocalKindError


def config(name: str, server: str = "https://198.18.0.2:6443") -> dict[str, Any]:
    """The kubeconfig of a localkind cluster."""
    key = f"kind-{name}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": key, "cluster": {"server": server}}],
        "contexts": [{"name": key, "context": {"cluster": key, "user": key}}],
        "users": [{"name": key, "user": {"client-key-data": "x"}}],
        "current-context": key,
    }


def other() -> dict[str, Any]:
    """A kubeconfig that has nothing to do with us."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "prod", "cluster": {"server": "https://prod"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "current-context": "prod",
        "extensions": [{"name": "kept"}],
    }


def names(path: Path, key: str) -> list[str]:
    """The names in one of the lists of a kubeconfig file."""
    return [entry["name"] for entry in yaml.safe_load(path.read_text())[key]]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where $KUBECONFIG points to; not even its directory exists."""
    path = tmp_path / "deep/config"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def test_a_missing_file_is_made_for_its_owner_only(file: Path) -> None:
    """It holds a key; and no lock or draft remains beside it."""
    kubeconfig.merge(config("a"), None)
    assert yaml.safe_load(file.read_text()) == config("a")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["config"]


def test_an_empty_file_is_filled(file: Path) -> None:
    """pytest-kind makes one before it calls kind."""
    file.parent.mkdir()
    file.touch()
    kubeconfig.merge(config("a"), None)
    assert yaml.safe_load(file.read_text()) == config("a")


def test_other_entries_are_kept_and_the_context_is_switched(file: Path) -> None:
    """Also fields that we do not know, and also when ours are removed."""
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(other()))
    kubeconfig.merge(config("a"), None)
    assert names(file, "clusters") == ["prod", "kind-a"]
    assert names(file, "users") == ["me", "kind-a"]
    content = yaml.safe_load(file.read_text())
    assert content["current-context"] == "kind-a"
    assert content["extensions"] == [{"name": "kept"}]
    kubeconfig.remove("a", None)
    assert yaml.safe_load(file.read_text()) == {
        **other(), "current-context": "", "preferences": {},
    }  # fmt: skip


def test_entries_of_the_same_cluster_are_replaced_in_place(file: Path) -> None:
    """A recreated cluster has new certificates."""
    for name in ("a", "b"):
        kubeconfig.merge(config(name), None)
    kubeconfig.merge(config("a", "https://new"), None)
    assert names(file, "clusters") == ["kind-a", "kind-b"]
    content = yaml.safe_load(file.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://new"


def test_removing_another_cluster_changes_nothing(file: Path) -> None:
    """The file is not even written."""
    kubeconfig.merge(config("a"), None)
    before = file.read_bytes(), file.stat().st_mtime_ns
    kubeconfig.remove("b", None)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_another_current_context_stays_when_a_cluster_is_removed(file: Path) -> None:
    """Only a context that leads nowhere is unset."""
    kubeconfig.merge(config("a"), None)
    kubeconfig.merge(config("b"), None)
    kubeconfig.remove("a", None)
    assert yaml.safe_load(file.read_text()) == config("b")


def test_the_first_existing_file_of_the_list_is_changed_else_the_last_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubectl's rule for $KUBECONFIG with several files; removal reads all of them."""
    files = [tmp_path / name for name in ("one", "two", "three")]
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, [*files, files[0], ""])))
    kubeconfig.merge(config("a"), None)
    assert [f.exists() for f in files] == [False, False, True]
    files[1].write_text(yaml.safe_dump(config("a")))
    kubeconfig.merge(config("b"), None)
    assert names(files[1], "contexts") == ["kind-a", "kind-b"]
    kubeconfig.remove("a", None)
    assert names(files[1], "contexts") == ["kind-b"]
    assert names(files[2], "contexts") == []


def test_an_explicit_file_goes_before_the_environment(file: Path, tmp_path: Path) -> None:
    """`--kubeconfig` names the only file that is changed."""
    explicit = tmp_path / "explicit"
    kubeconfig.merge(config("a"), str(explicit))
    assert names(explicit, "contexts") == ["kind-a"]
    assert not file.exists()


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    """People keep their configuration elsewhere."""
    link = tmp_path / "link"
    kubeconfig.merge(config("a"), None)
    link.symlink_to(file)
    kubeconfig.merge(config("b"), str(link))
    assert link.is_symlink()
    assert names(file, "contexts") == ["kind-a", "kind-b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("clusters: [", "cannot be read"), ("- a", "not a YAML mapping"), ("users: {a: b}", "users")],
)
def test_a_broken_file_is_named_and_left_unchanged(file: Path, text: str, message: str) -> None:
    """And its lock is removed."""
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(LocalKindError, match=message):
        kubeconfig.merge(config("a"), None)
    assert file.read_text() == text
    assert not file.with_name("config.lock").exists()


def test_a_lock_that_remains_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who holds it may have died; only a person can know."""
    monkeypatch.setattr(kubeconfig, "_LOCK_SECONDS", 0.1)
    file.parent.mkdir()
    file.with_name("config.lock").touch()
    with pytest.raises(LocalKindError, match=r"remove .*config\.lock if no kubectl"):
        kubeconfig.merge(config("a"), None)
