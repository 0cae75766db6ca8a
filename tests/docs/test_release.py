"""What a release publishes, and what readers install before there is one."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePath

import pytest
import yaml

from generate.version import version
from images.build import ENVOY, OPERATOR
from release.__main__ import ReleaseError, build, notes
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
    build(tmp_path, "services/kit")
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


def test_grpcop_is_one_file_to_install(tmp_path: Path) -> None:
    """The wheel runs outside of the checkout, with what its extra requires."""
    build(tmp_path, ".", "--wheel")
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)  # noqa: S202 - we have just built it
        (metadata,) = (n for n in archive.namelist() if n.endswith("/METADATA"))
        (entries,) = (n for n in archive.namelist() if n.endswith("/entry_points.txt"))
        commands = archive.read(entries).decode()
        required = archive.read(metadata).decode()
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import grpc_operator.cli.main as m; "
    )
    program += "print(m.__file__); sys.exit(m.main())"
    service = ROOT / "examples/users/grpcservice.yaml"

    ran = subprocess.run(
        [sys.executable, "-c", program, installed, "render", "-f", service, "-o", "name"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    file, *names = ran.stdout.split()
    assert Path(file).is_relative_to(installed)
    assert "deployment/users" in names
    assert "grpcop = grpc_operator.cli.__main__:main" in commands
    assert "kubectl-grpc = grpc_operator.cli.__main__:main" in commands
    assert "extra == 'cli'" in required
