"""The images that a release is built from and starts, by digest.

A tag can be moved after a release, a digest cannot. What Renovate has not put into the files yet is
resolved when the release is made: without a digest there is no release.
"""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "grpc-operator"
DOCKERFILES = (
    "operator/Dockerfile",
    *(f"services/{name}/Dockerfile" for name in ("order", "product", "user")),
)
"""Those of the published images."""

_BASE = re.compile(r"^ARG PYTHON_IMAGE=(\S+)$", re.MULTILINE)
_ENVOY = re.compile(r"docker\.io/envoyproxy/envoy:[\w.-]+(?:@sha256:[0-9a-f]{64})?")
_PINNED = re.compile(r"[^@\s]+:[^@\s:]+@sha256:[0-9a-f]{64}")


class UnresolvedError(Exception):
    """An image has no digest; the text says which and what the registry answered."""


def python_image() -> str:
    """Returns the base image of every published image, as the Dockerfiles name it."""
    (image,) = {_BASE.findall((ROOT / file).read_text())[0] for file in DOCKERFILES}
    return str(image)


def envoy_image() -> str:
    """Returns the Envoy that the chart starts by default."""
    return str(_ENVOY.findall((CHART / "values.yaml").read_text())[0])


def resolve(image: str) -> str:
    """Returns NAME:TAG@sha256:DIGEST of an image; asks the registry when it has no digest.

    Raises:
        UnresolvedError: The registry does not say, or says something else than a digest.
    """
    if _PINNED.fullmatch(image):
        return image
    # The digest of the index, which stands for every platform.
    inspect = ["docker", "buildx", "imagetools", "inspect", image]
    done = subprocess.run(
        [*inspect, "--format", "{{.Manifest.Digest}}"], capture_output=True, text=True, check=False
    )
    pinned = f"{image}@{done.stdout.strip()}"
    if done.returncode or not _PINNED.fullmatch(pinned):
        raise UnresolvedError(f"{image} has no digest: {done.stdout}{done.stderr}".strip())
    return pinned


def pinned_chart(target: Path, envoy: str) -> Path:
    """Copies the chart into a folder with Envoy by digest, and returns the copy."""
    chart = target / CHART.name
    shutil.copytree(CHART, chart)
    for name in ("Chart.yaml", "README.md", "values.yaml", "values.schema.json"):
        file = chart / name
        file.write_text(_ENVOY.sub(envoy, file.read_text()))
    return chart
