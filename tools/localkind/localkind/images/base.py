"""The base image: Python 3.11 and what it needs from Debian 12, and nothing else.

mmdebstrap unpacks the packages (https://manpages.debian.org/mmdebstrap) from the mirrors that this
machine's apt uses. The package manager itself, documentation and perl are left out.
"""

import re
from pathlib import Path

from localkind.commands import run
from localkind.errors import LocalKindError

TAG = "localhost/python-base:3.11"
ROOT_ARCHIVE = "root.tar"
DOCKERFILE = Path(__file__).with_name("python-base.Dockerfile")

_SUITE = "bookworm"
_PACKAGES = (
    "python3-minimal", "python3.11-minimal", "libpython3.11-stdlib", "python3.11-venv",
    "python3-pip-whl", "python3-setuptools-whl", "python3-distutils",
    "libc6", "libstdc++6", "base-files", "bash", "libtinfo6", "dash", "coreutils", "netbase",
)  # fmt: skip
_CUSTOMIZE = Path(__file__).with_name("python-base.customize.sh")
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


def recipe() -> str:
    """Text that changes whenever the image would be made differently."""
    files = (DOCKERFILE.read_text(), _CUSTOMIZE.read_text())
    return "\n".join((_SUITE, *_PACKAGES, *_LEFT_OUT, *files))


def make_root(target: Path) -> None:
    """Write the root file system as a tar archive.

    Raises:
        LocalKindError: this machine's apt has no Debian 12.
    """
    words = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(_PACKAGES)}"]
    words += ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
    words += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    words += [f"--customize-hook={_CUSTOMIZE}"]
    run([*words, _SUITE, target, *_mirrors()])


def _mirrors() -> list[str]:
    """The lines of sources.list with which this machine's apt reaches Debian 12."""
    form = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    identifier = "Identifier: Packages"
    lines = run(["apt-get", "indextargets", "--format", form, identifier]).splitlines()
    mirrors = []
    for line in dict.fromkeys(lines):
        origin, uri, release, component = line.split("|")
        if origin == "Debian" and re.fullmatch(rf"{_SUITE}(-.*)?", release):
            mirrors.append(f"deb {uri} {release} {component}")
    if not mirrors:
        raise LocalKindError(
            f"the image {TAG} is made from Debian 12 ({_SUITE}), which this machine's apt does not "
            "offer: build images on Debian 12, or use Docker and kind"
        )
    return mirrors
