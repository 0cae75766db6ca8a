"""OpenTofu, built from its Go module: ``fmt`` and ``validate`` of configuration in a folder."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from localkind.locks import locked
from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go

_VERSION = "v1.12.6"
_MODULE = f"github.com/opentofu/opentofu@{_VERSION}"
_SUM = "h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98="
_PROTOCOL = "docs/plugin-protocol/tfplugin6.10.proto"
_BUILD_FLAGS = ("-ldflags=-s -w", "-gcflags=all=-dwarf=false")
_BUILD_SECONDS = 1700
_SECONDS = 60

_BACKENDS = "internal/backend/init/init.go"
_KEY_PROVIDERS = "internal/encryption/default_registry.go"
_CLOUD_KEYS = ("aws_kms", "azure_vault", "gcp_kms", "openbao")


@dataclass(frozen=True)
class Problem:
    """An error that OpenTofu reports.

    Attributes:
        summary: What is wrong.
        detail: More about it, on one line.
        line: In the file; 0 if it is about no line.
    """

    summary: str
    detail: str
    line: int


@dataclass(frozen=True)
class OpenTofu:
    """The program.

    Attributes:
        program: Its path.
        protocol: The .proto file of the protocol of providers.
        variables: Environment variables beside those of this process.
    """

    program: Path
    protocol: Path
    variables: Mapping[str, str]

    def unformatted(self, folder: Path) -> str:
        """Returns what ``fmt`` would change in the files of a folder, as a diff."""
        done = self.run(folder, "fmt", "-check", "-diff", "-recursive")
        assert done.returncode in (0, 3), done.stderr
        return done.stdout

    def problems(self, folder: Path) -> list[Problem]:
        """Returns what ``validate`` finds in the configuration in a folder."""
        done = self.run(folder, "validate", "-json", "-no-color")
        answer: dict[str, Any] = json.loads(done.stdout)
        return [
            Problem(
                each["summary"],
                " ".join(each.get("detail", "").split()),
                each.get("range", {}).get("start", {}).get("line", 0),
            )
            for each in answer["diagnostics"]
        ]

    def outputs(self, folder: Path) -> dict[str, Any]:
        """Applies a configuration without resources; returns the values of its outputs."""
        for command in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
            done = self.run(folder, *command, "-no-color")
            assert done.returncode == 0, done.stdout + done.stderr
        values = json.loads(self.run(folder, "output", "-json").stdout)
        return {name: each["value"] for name, each in values.items()}

    def run(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in a folder."""
        return subprocess.run(
            [self.program, *words],
            cwd=folder,
            env={**_environment(), **self.variables},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def _environment() -> dict[str, str]:
    """Returns the variables of this process without settings of OpenTofu."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TF_")}


def build() -> OpenTofu:
    """Builds the program once, without what reaches clouds: state in object stores, and keys there.

    These are a third of its packages, and ``fmt`` and ``validate`` do not use them.
    """
    source = _source()
    program = cache_dir() / "terraform" / f"tofu-{_VERSION}"
    with locked(program.with_suffix(".lock"), Progress(), "OpenTofu"):
        if not program.exists():
            with TemporaryDirectory() as folder:
                _build(source, Path(folder) / "opentofu", program)
    return OpenTofu(program, source / _PROTOCOL, {})


def _source() -> Path:
    with TemporaryDirectory() as folder:
        found = json.loads(_go(Path(folder), "mod", "download", "-json", _MODULE))
    assert found["Sum"] == _SUM, f"{_MODULE} has the checksum {found['Sum']}"
    return Path(found["Dir"])


def _build(source: Path, copy: Path, program: Path) -> None:
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    for folder in (copy, *copy.rglob("*/")):
        folder.chmod(0o755)  # Those of the module cache are read-only.
    _change(copy / _BACKENDS, _without_remote_states)
    _change(copy / _KEY_PROVIDERS, _without_cloud_keys)
    draft = program.with_suffix(".partial")
    _go(copy, "build", "-mod=readonly", *_BUILD_FLAGS, "-o", str(draft), "./cmd/tofu")
    draft.rename(program)


def _change(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text()
    changed = change(text)
    assert changed != text, f"{path} is not as expected"
    path.write_text(changed)


def _without_remote_states(text: str) -> str:
    """Removes the lines of the packages that keep state elsewhere: imports, and the table."""
    packages = re.findall(r"^\t(\w+) \"\S+/remote-state/\w+\"$", text, re.MULTILINE)
    unwanted = re.compile(rf"^.*\b(?:{'|'.join(packages)})\b.*\n", re.MULTILINE)
    return unwanted.sub("", text)


def _without_cloud_keys(text: str) -> str:
    """Removes imports and registrations of the packages that get keys from elsewhere."""
    names = "|".join(_CLOUD_KEYS)
    text = re.sub(rf"^\t\"\S+/(?:{names})\"\n", "", text, flags=re.MULTILINE)
    registration = rf"^\tif err := \S+\((?:{names})\.New\(\)\); err != nil {{\n.*\n\t}}\n"
    return re.sub(registration, "", text, flags=re.MULTILINE)


def _go(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [ensure_go(Progress()), *words],
        cwd=folder,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"go {' '.join(words)}: {done.stderr}"
    return done.stdout
