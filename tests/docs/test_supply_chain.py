"""Everything that a build takes is known before: packages by hash, images by digest in a release.

docs/adr/0030-supply-chain.md has the reasons.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from release import base_images
from release.base_images import UnresolvedError, resolve
from release.sbom import chart_sbom
from tests.docs.pages import ROOT

_FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.splitlines()  # fmt: skip
_DATA = re.compile(r"(\.lock|-lock\.json|\.sum|\.out\.yaml|_pb2.*|CHANGELOG\.md)$")
_TESTS = re.compile(r"(^|/)tests/")

_DOWNLOADS = {
    "pip": re.compile(r"""\bpip3?["', ]+(?:install|download)\b"""),
    "uv build": re.compile(r"""\buv["', )]+build\b"""),
    "uv tool": re.compile(r"""\buv["', ]+(?:tool|run --with)\b|\buvx\b|\bpipx\b"""),
    "npm": re.compile(r"\bnpm +(?:install|i|add|exec|update)\b|\bnpx\b|\byarn\b|\bpnpm\b"),
    "go": re.compile(r"""["' ]?\bgo["', ]+(?:install|run|get)\b"""),
    "http": re.compile(
        r"\b(?:curl|wget)\b[^`\n]*https://|\bADD +https?:|urlretrieve|urlopen\(|requests\.get"
    ),
    "image": re.compile(r"\b(?:docker|podman|ctr|crictl) +(?:pull|run)\b"),
}
_HASHED = re.compile(r"--require-hashes|--no-build-isolation")
_KNOWN = {
    # The chart's test and the metrics of a process on this machine: read, not run.
    "charts/grpc-operator/files/helm_test.py": "http",
    # From the checkout, for readers who want localkind alone.
    "tools/localkind/README.md": "pip",
    # The reader's own project, with the names of packages; its last paragraph has the way on.
    "docs/write-a-service.md": "pip",
    # For readers who install grpcop on their own machine.
    "dev/generate/cli_docs.py": "uv tool",
    "docs/grpcop/README.md": "uv tool",
    # How the lower bounds of the kit were tried.
    "docs/adr/0020-service-kit.md": "pip",
}
"""What is downloaded without a hash, by file and kind: nothing that a build of ours takes."""


def _unhashed(text: str) -> set[str]:
    """Returns the kinds of downloads in a text that name no hash in the same command."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = joined.splitlines()
    found = set()
    for number, line in enumerate(lines):
        command = " ".join(lines[max(number - 1, 0) : number + 2])
        kinds = {kind for kind, pattern in _DOWNLOADS.items() if pattern.search(line)}
        if kinds and not _HASHED.search(command):
            found |= kinds
    return found


def test_nothing_is_downloaded_without_a_hash() -> None:
    """Whoever controls a registry, a mirror or a proxy changes no build unnoticed."""
    found = {}
    for name in _FILES:
        path = ROOT / name
        if _DATA.search(name) or _TESTS.search(name) or not path.is_file():
            continue
        try:
            kinds = _unhashed(path.read_text())
        except UnicodeDecodeError:
            continue
        if kinds - {_KNOWN.get(name)}:
            found[name] = kinds

    assert found == {}


@pytest.mark.parametrize(
    "command",
    [
        "pip install requests",
        'run([python, "-m", "pip", "install", "requests"])',
        "RUN pip install \\\n    --no-cache-dir -r requirements.txt",
        "uv build services/kit",
        "uvx ruff",
        "npm install",
        "go install helm.sh/helm/v4/cmd/helm@v4.3.1",
        '_go(go, ["install", "x@v1"]); ["go", "install"]',
        "curl -sSfL https://example.com/tool -o tool",
        "ADD https://example.com/tool /tool",
        "docker run alpine",
    ],
)
def test_the_scan_finds_downloads(command: str) -> None:
    """A scan that finds nothing would prove nothing."""
    assert _unhashed(command)


@pytest.mark.parametrize("file", [name for name in _FILES if name.endswith("requirements.txt")])
def test_every_requirement_has_hashes(file: str) -> None:
    """`--require-hashes` refuses the others; this names the file."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / file).read_text())
    required = [line for line in text.splitlines() if re.match(r"[\w.-]+(\[[\w,-]+\])?==", line)]

    assert required
    assert [line for line in required if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("file", [name for name in _FILES if name.endswith("package-lock.json")])
def test_every_npm_package_has_a_hash(file: str) -> None:
    """`npm ci` installs what the lock says, and compares."""
    packages = json.loads((ROOT / file).read_text())["packages"]

    assert [n for n, package in packages.items() if n and "integrity" not in package] == []


@pytest.mark.parametrize("file", [name for name in _FILES if name.endswith("go.mod")])
def test_every_go_module_has_its_hashes(file: str) -> None:
    """`-mod=readonly` builds nothing that go.sum does not have."""
    requires = "require" in (ROOT / file).read_text()

    assert (ROOT / file).with_name("go.sum").exists() == requires


_DIGEST = "sha256:" + "0123456789abcdef" * 4


def _fake_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\n{answer}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_release_takes_images_by_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the index, which stands for all platforms; one that is pinned is not asked for again."""
    _fake_docker(tmp_path, monkeypatch, f'echo "$@" >> {tmp_path}/asked; echo {_DIGEST}')

    assert resolve("docker.io/library/python:3.11") == f"docker.io/library/python:3.11@{_DIGEST}"
    assert resolve(f"python:3.11@{_DIGEST}") == f"python:3.11@{_DIGEST}"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [
        "buildx imagetools inspect docker.io/library/python:3.11 --format {{.Manifest.Digest}}"
    ]


@pytest.mark.parametrize(
    "answer", ["echo denied >&2; exit 1", "true", "echo sha256:short", f"echo {_DIGEST}; exit 1"]
)
def test_a_release_without_a_digest_fails(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag could be another image tomorrow."""
    _fake_docker(tmp_path, monkeypatch, answer)

    with pytest.raises(UnresolvedError, match=r"python:3\.11 has no digest"):
        resolve("python:3.11")


def test_the_chart_of_a_release_starts_envoy_by_digest(tmp_path: Path) -> None:
    """In every file of the chart that names the image."""
    pinned = f"docker.io/envoyproxy/envoy:v9@{_DIGEST}"
    chart = base_images.pinned_chart(tmp_path, pinned)
    named = [
        word
        for file in chart.rglob("*")
        if file.is_file()
        for word in re.findall(r"[^\s\"]*envoyproxy/envoy:[^\s\"]*", file.read_text())
    ]

    assert set(named) == {pinned}
    assert yaml.safe_load((chart / "values.yaml").read_text())["gateway"]["image"] == pinned


def test_the_sbom_of_the_chart_has_every_image_that_it_starts() -> None:
    """CycloneDX, with the digest of what is not ours; the images have SBOMs of their own."""
    sbom = json.loads(chart_sbom("1.2.3", f"docker.io/envoyproxy/envoy:v9@{_DIGEST}"))
    operator, envoy = sbom["components"]
    values = yaml.safe_load((base_images.CHART / "values.yaml").read_text())

    assert operator["name"] == values["image"]["repository"]
    assert operator["version"] == sbom["metadata"]["component"]["version"] == "1.2.3"
    assert f"{envoy['name']}:{envoy['version']}" == "docker.io/envoyproxy/envoy:v9"
    assert envoy["hashes"] == [{"alg": "SHA-256", "content": _DIGEST.removeprefix("sha256:")}]
    assert set(sbom["dependencies"][0]["dependsOn"]) == {operator["bom-ref"], envoy["bom-ref"]}
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    published = " ".join(step.get("run", "") for step in workflow["jobs"]["chart"]["steps"])
    assert "cosign attest --yes --type cyclonedx" in published


def test_every_published_image_has_the_resolved_base() -> None:
    """The workflow builds these files, with the image that the package job has resolved."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    images = workflow["jobs"]["images"]
    built = {entry["file"] for entry in images["strategy"]["matrix"]["include"]}
    (build,) = (step for step in images["steps"] if step.get("id") == "build")

    assert built == set(base_images.DOCKERFILES)
    assert build["with"]["sbom"] is True
    assert build["with"]["build-args"] == "PYTHON_IMAGE=${{ needs.package.outputs.python-image }}"
    for file in base_images.DOCKERFILES:
        stages = re.findall(r"^FROM (\S+)", (ROOT / file).read_text(), re.MULTILINE)
        assert set(stages) == {"${PYTHON_IMAGE}"}, file
    assert base_images.python_image().startswith("docker.io/library/python:3.11")
