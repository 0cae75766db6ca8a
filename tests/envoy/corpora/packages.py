"""Packages of npm and Go with the APIs of other projects, in the versions that the tests name."""

import json
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from images.toolchain import environment
from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go


def npm(specs: Iterable[str]) -> Mapping[str, Path]:
    """Returns the folders of npm packages, such as ``name@1.2.3``; they are fetched once."""
    folder = cache_dir() / "corpora"
    folders = {spec: folder / spec.replace("/", "+") for spec in specs}
    missing = [spec for spec, path in folders.items() if not path.exists()]
    if missing:
        with TemporaryDirectory() as temporary:
            variables = environment(Path(temporary))
            command = ["npm", "pack", "--json", "--pack-destination", temporary, *missing]
            done = subprocess.run(command, check=True, env=variables, capture_output=True)
            for packed in json.loads(done.stdout):
                spec = f"{packed['name']}@{packed['version']}"
                _unpack(Path(temporary, packed["filename"]), folders[spec])
    return {spec: path / "package" for spec, path in folders.items()}


def go(module: str) -> Path:
    """Returns the folder of a Go module, such as ``example.com/module@v1.2.3``."""
    command = [str(ensure_go(Progress())), "mod", "download", "-json", module]
    with TemporaryDirectory() as temporary:
        done = subprocess.run(command, cwd=temporary, check=False, capture_output=True)
    found = json.loads(done.stdout)
    assert "Error" not in found, found["Error"]
    return Path(found["Dir"])


def _unpack(archive: Path, folder: Path) -> None:
    """Unpacks the .proto files; what is there is complete."""
    partial = folder.with_name(f"{folder.name}.partial")
    with tarfile.open(archive) as opened:
        members = [each for each in opened.getmembers() if each.name.endswith(".proto")]
        opened.extractall(partial, members=members, filter="data")
    partial.rename(folder)
