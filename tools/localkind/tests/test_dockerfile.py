"""Cached layers: a change of what a RUN mounts makes another Dockerfile of it."""

from pathlib import Path

import pytest

from localkind.images.dockerfile import with_mount_digests

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG PYTHON_IMAGE=base
FROM ${PYTHON_IMAGE}
RUN --mount=type=bind,source=wheels,target=/wheels \\
    # a comment within the instruction
    --mount=type=bind,source=requirements.txt,target=/r.txt \\
    pip install -r /r.txt
RUN --mount=type=cache,target=/c true
COPY . /app
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context with what the Dockerfile mounts, and what it does not."""
    (tmp_path / "wheels").mkdir()
    for name in ("wheels/a.whl", "requirements.txt", "other.py"):
        (tmp_path / name).write_text("1")
    return tmp_path


def test_one_label_stands_before_the_run_and_all_else_is_the_same(context: Path) -> None:
    """Caches are mounted too, but are not part of the context."""
    lines = with_mount_digests(DOCKERFILE, context).splitlines()
    labels = [line for line in lines if line.startswith("LABEL ")]
    assert len(labels) == 1
    assert lines[lines.index(labels[0]) + 1].startswith("RUN --mount=type=bind,source=wheels")
    lines.remove(labels[0])
    assert lines == DOCKERFILE.splitlines()


@pytest.mark.parametrize("name", ["wheels/a.whl", "wheels/b.whl", "requirements.txt"])
def test_a_mounted_file_that_is_changed_or_added_changes_the_text(context: Path, name: str) -> None:
    """Whether it is mounted itself or in a directory."""
    before = with_mount_digests(DOCKERFILE, context)
    assert with_mount_digests(DOCKERFILE, context) == before
    (context / name).write_text("2")
    assert with_mount_digests(DOCKERFILE, context) != before


def test_another_file_does_not_change_the_text(context: Path) -> None:
    """What COPY copies, buildah checks itself."""
    before = with_mount_digests(DOCKERFILE, context)
    (context / "other.py").write_text("2")
    assert with_mount_digests(DOCKERFILE, context) == before


def test_a_dockerfile_without_mounts_is_left_as_it_is(context: Path) -> None:
    """Also when its last line does not end."""
    text = "FROM scratch\nCOPY a \\\n  b /\nRUN true"
    assert with_mount_digests(text, context) == text
