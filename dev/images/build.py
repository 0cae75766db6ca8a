"""One recipe for both engines: wheels are downloaded first, so no build needs the network."""

import hashlib
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from images import examples

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Image:
    """An image of this repository.

    Attributes:
        tag: Name and tag it is given.
        home: Its folder below the repository, with Dockerfile, and where pip installs
            something requirements.txt and wheels/.
        context: The build context, which has the home in it; the home itself when empty.
    """

    tag: str
    home: str
    context: str = ""

    @property
    def folder(self) -> Path:
        """The home."""
        return ROOT / self.home

    @property
    def arguments(self) -> tuple[str, ...]:
        """The file arguments of `docker build` and `kind build image`."""
        return ("--file", str(self.folder / "Dockerfile"), str(ROOT / (self.context or self.home)))


def _service(name: str) -> Image:
    """The kit is beside the services, and each image has a copy of it."""
    return Image(f"localhost/{name}-service:dev", f"services/{name}", "services")


OPERATOR = Image("localhost/grpc-operator:dev", "operator")
USER_SERVICE = _service("user")
PRODUCT_SERVICE = _service("product")
ORDER_SERVICE = _service("order")
ENVOY = Image("localhost/envoy:dev", "dev/images/envoy")
POSTGRES = Image("localhost/postgres:dev", "dev/images/postgres")
IMAGES = (OPERATOR, USER_SERVICE, PRODUCT_SERVICE, ORDER_SERVICE, ENVOY, POSTGRES)
EXAMPLES = (
    Image("localhost/users-go:dev", "examples/servers/go"),
    Image("localhost/users-node:dev", "examples/servers/node"),
)
"""The user service in other languages."""

_SOURCES = {".c", ".h", ".j2", ".py", ".sh", ".txt"}
_PYTHON_TAG = "311"
"""Python of the base images (the Dockerfiles' PYTHON_IMAGE)."""


def provider() -> str:
    """Returns ``kind`` where a Docker engine answers, else ``localkind``."""
    return localkind("provider")


def localkind(*arguments: str) -> str:
    """Runs a command of localkind, whose progress is shown, and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "localkind", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip()


def build(image: Image, engine: str) -> None:
    """Builds an image; the engine's layer cache makes it cheap when nothing changed."""
    if image in EXAMPLES:
        examples.prepare()
    download_wheels(image)
    arguments = ("--tag", image.tag, "--build-arg", "PIP_NO_INDEX=1", *image.arguments)
    if engine == "localkind":
        localkind("build", "image", *arguments)
    else:
        subprocess.run(["docker", "build", "--quiet", *arguments], check=True)


def source_digest(image: Image) -> str:
    """Returns a hash of everything that goes into an image, wheels by their hashes."""
    digest = hashlib.sha256()
    for path in sorted(image.folder.rglob("*")):
        if path.suffix in _SOURCES or path.name == "Dockerfile":
            digest.update(f"{path.relative_to(image.folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def download_wheels(image: Image) -> None:
    """Fills ``wheels/`` with exactly what requirements.txt names, for the image's platform.

    The operator's image has a second one, for the stage that compiles.
    """
    listed = ("requirements.txt", "proxy_module/requirements.txt")
    requirements = [path for name in listed if (path := image.folder / name).exists()]
    if not requirements:
        return  # a program that needs no Python to build
    wheels = image.folder / "wheels"
    stamp = wheels / ".complete"
    digest = hashlib.sha256(b"".join(map(Path.read_bytes, requirements))).hexdigest()
    if stamp.exists() and stamp.read_text() == _contents(digest, wheels):
        return
    stamp.unlink(missing_ok=True)
    for old in wheels.glob("*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--quiet"]
    command += ["--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", _PYTHON_TAG]
    for abi in (f"cp{_PYTHON_TAG}", "abi3", "none"):
        command += ["--abi", abi]
    for glibc in ("2_17", "2014", "2_28", "2_31", "2_34"):
        separator = "" if glibc == "2014" else "_"
        command += ["--platform", f"manylinux{separator}{glibc}_{platform.machine()}"]
    for path in requirements:
        command += ["-r", str(path)]
    command += ["-d", str(wheels)]
    subprocess.run(command, check=True)
    stamp.write_text(_contents(digest, wheels))


def _contents(digest: str, wheels: Path) -> str:
    return "\n".join([digest, *sorted(path.name for path in wheels.glob("*.whl"))])
