"""What a release publishes, and what readers install before there is one."""

import re
import tarfile
import zipfile
from pathlib import Path, PurePath

import pytest
import yaml

from generate.version import version
from images.build import ENVOY, OPERATOR
from release.__main__ import ReleaseError, build_kit, notes
from tests.docs.pages import ROOT

_INSTALL = re.compile(r"helm (?:install|test)\b(?:[^\n]*\\\n)*[^\n]*")
_PAGES = ("README.md", "docs/operations.md", "charts/grpc-operator/README.md")


def test_the_changelog_has_notes_of_this_version() -> None:
    """The GitHub release of a tag takes its text from there, without the heading."""
    text = notes((ROOT / "CHANGELOG.md").read_text(), version())

    assert text.startswith("### ")
    assert f"## {version()}" not in text


def test_a_version_without_notes_is_refused() -> None:
    """A tag on a commit that `make release` did not prepare publishes nothing."""
    with pytest.raises(ReleaseError, match="make release VERSION=99"):
        notes((ROOT / "CHANGELOG.md").read_text(), "99.0.0")


def test_the_values_for_a_checkout_name_its_images() -> None:
    """What `make images` builds is what the README's `helm install` starts."""
    values = yaml.safe_load((ROOT / "dev/demo/values.yaml").read_text())

    assert f"{values['image']['repository']}:{values['image']['tag']}" == OPERATOR.tag
    assert values["gateway"]["image"] == ENVOY.tag


@pytest.mark.parametrize("page", _PAGES)
def test_every_page_installs_into_the_same_namespace(page: str) -> None:
    """Commands of one page work after those of another."""
    commands = _INSTALL.findall((ROOT / page).read_text())

    assert commands
    assert all("--namespace grpc-operator-system" in command for command in commands), commands


def test_the_kit_is_published_with_its_license(tmp_path: Path) -> None:
    """Apache-2.0, section 4: whoever gets a copy gets the license with it."""
    build_kit(tmp_path)
    license_text = (ROOT / "LICENSE").read_bytes()
    (sdist,), (wheel,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")

    with tarfile.open(sdist) as archive:
        found = {PurePath(m.name).name: m for m in archive.getmembers() if m.isfile()}
        member = archive.extractfile(found["LICENSE"])
        assert member
        assert member.read() == license_text
    with zipfile.ZipFile(wheel) as archive_:
        (name,) = (n for n in archive_.namelist() if n.endswith("licenses/LICENSE"))
        assert archive_.read(name) == license_text
