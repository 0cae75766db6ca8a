"""`prepare VERSION` writes what a release commit has; `package` writes what a release publishes."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from generate import protos, version
from images.build import localkind
from release.base_images import (
    CHART,
    UnresolvedError,
    envoy_image,
    pinned_chart,
    python_image,
    resolve,
)
from release.sbom import chart_sbom

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv" / "bin"
DIST = ROOT / "dist"
START = "<!-- towncrier release notes start -->\n"
"""Below it are the releases, newest first (`[tool.towncrier]` of pyproject.toml)."""

_SEMVER = re.compile(r"\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?")


class ReleaseError(Exception):
    """The release cannot be made; the text says what to do."""


def prepare(wanted: str) -> None:
    """Sets the version everywhere, and collects the changelog.

    Args:
        wanted: The version, by the rules of Semantic Versioning (2.0.0) that PyPI can express.

    Raises:
        ReleaseError: It is not a version.
    """
    if not _SEMVER.fullmatch(wanted):
        raise ReleaseError(f"VERSION={wanted} is not a version such as 0.2.0 or 0.2.0-rc.1")
    project = ROOT / "pyproject.toml"
    line = re.compile(r'(?m)^version = ".*"$')
    project.write_text(line.sub(f'version = "{wanted}"', project.read_text(), count=1))
    for name, text in version.generate().items():
        (ROOT / name).write_text(text)
    for name in (".", *version.PROJECTS):
        if (ROOT / name / "uv.lock").exists():
            _run(BIN / "uv", "lock", "--quiet", "--project", name)
    protos.baseline()
    _run(BIN / "towncrier", "build", "--yes", "--version", wanted)


def package(tag: str) -> None:
    """Fills `dist/` with the chart, the kit, the wheel with grpcop, and the release notes.

    Args:
        tag: The git tag to publish, such as `v0.1.0`. When empty, nothing is compared, and no
            registry is asked for the digests of images.

    Raises:
        ReleaseError: The tag is not the version's, or the changelog lacks the version.
        UnresolvedError: An image has no digest.
    """
    current = version.version()
    if tag and tag != f"v{current}":
        raise ReleaseError(f"the tag is {tag}, and pyproject.toml has the version {current}")
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    (DIST / "notes.md").write_text(notes((ROOT / "CHANGELOG.md").read_text(), current))
    build(DIST, "services/kit")
    build(DIST, ".", "--wheel")
    with tempfile.TemporaryDirectory() as folder:
        chart = pinned_chart(Path(folder), base_images(current)) if tag else CHART
        _run(localkind("tools", "helm"), "package", chart, "--destination", DIST)


def base_images(current: str) -> str:
    """Records the images of the release by digest, and the chart's SBOM; returns Envoy's."""
    python, envoy = resolve(python_image()), resolve(envoy_image())
    (DIST / "base-images.txt").write_text(f"PYTHON_IMAGE={python}\nENVOY_IMAGE={envoy}\n")
    (DIST / f"grpc-operator-{current}.cdx.json").write_text(chart_sbom(current, envoy))
    return envoy


def build(target: Path, project: str, *options: str) -> None:
    """Writes sdist and wheel of a project into a folder, with the build backend that was locked.

    Args:
        target: The folder.
        project: Folder of the project, in the repository.
        options: More arguments of the build.
    """
    lock = ("--build-constraints", "dev/release/build-requirements.txt", "--require-hashes")
    _run(BIN / "uv", "build", "--quiet", *lock, *options, "--out-dir", target, project)


def notes(changelog: str, wanted: str) -> str:
    """Returns what a changelog says about a version, without its heading.

    Raises:
        ReleaseError: It has no section about it.
    """
    for section in changelog.partition(START)[2].split("\n## "):
        heading, _, text = section.partition("\n")
        if heading.removeprefix("## ").split(" ")[0] == wanted:
            return text.strip() + "\n"
    raise ReleaseError(f"CHANGELOG.md has no section {wanted}: make release VERSION={wanted}")


def _run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], cwd=ROOT, check=True)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("version")
    commands.add_parser("package").add_argument("tag", nargs="?", default="")
    options = parser.parse_args()
    try:
        if options.command == "prepare":
            prepare(options.version)
        else:
            package(options.tag)
    except (ReleaseError, UnresolvedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
