"""Image names and archives."""

import json
import tarfile
from pathlib import Path

import pytest

from localkind.errors import LocalKindError
from localkind.images.archive import image_ids, write_directory_image, write_program_image
from localkind.images.names import full_name


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("web", "docker.io/library/web:latest"),
        ("web:1", "docker.io/library/web:1"),
        ("team/web:1", "docker.io/team/web:1"),
        ("localhost/web:dev", "localhost/web:dev"),
        ("localhost:5000/web", "localhost:5000/web:latest"),
        ("registry.example/a/b:2", "registry.example/a/b:2"),
        ("web@sha256:00", "docker.io/library/web@sha256:00"),
    ],
)
def test_short_names_mean_what_docker_means(short: str, full: str) -> None:
    """The kubelet uses the same full name."""
    assert full_name(short) == full


def test_the_same_program_gives_the_same_archive(tmp_path: Path) -> None:
    """And the archive's ID is that of the configuration in it."""
    program = tmp_path / "tool-0123"
    program.write_bytes(b"\x7fELF program")
    archives = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for archive in archives:
        write_program_image(program, "localhost/tool:1", archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    ids = image_ids(archives[0])
    assert list(ids) == ["localhost/tool:1"]
    with tarfile.open(archives[0]) as tar:
        digest = ids["localhost/tool:1"].removeprefix("sha256:")
        file = tar.extractfile(f"blobs/sha256/{digest}")
        assert file is not None
        config = json.load(file)
    assert config["config"] == {"Entrypoint": ["/tool"], "User": "65532:65532"}


def test_a_directory_of_buildah_becomes_an_archive(tmp_path: Path) -> None:
    """The layer is as it was, and what two layers have in common is there once."""
    config = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": "sha256:c0",
        "size": 2,
    }
    layer = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": "sha256:1a",
        "size": 5,
    }
    manifest = {"schemaVersion": 2, "config": config, "layers": [layer, layer]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "c0").write_text(json.dumps({"config": {}}))
    (tmp_path / "1a").write_text("layer")
    archive = tmp_path / "image.tar"

    write_directory_image(tmp_path, "localhost/web:dev", archive)

    assert image_ids(archive) == {"localhost/web:dev": "sha256:c0"}
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        file = tar.extractfile("blobs/sha256/1a")
        assert file is not None
        assert file.read() == b"layer"
    assert len(names) == len(set(names)) == 5


def test_an_archive_of_docker_save_is_read(tmp_path: Path) -> None:
    """One image of several names."""
    entry = {"Config": "blobs/sha256/abc", "RepoTags": ["a:1", "b:2"], "Layers": []}
    (tmp_path / "manifest.json").write_text(json.dumps([entry]))
    archive = tmp_path / "saved.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(tmp_path / "manifest.json", "manifest.json")
    assert image_ids(archive) == {"a:1": "sha256:abc", "b:2": "sha256:abc"}


def test_another_file_is_not_an_image_archive(tmp_path: Path) -> None:
    """The message names the file, whether it is a tar archive or not."""
    (tmp_path / "text").write_text("hello")
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(tmp_path / "text", "text")
    for name in ("text", "other.tar"):
        with pytest.raises(LocalKindError, match=f"{name} is not an image archive"):
            image_ids(tmp_path / name)
