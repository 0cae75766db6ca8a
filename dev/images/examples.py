"""What the images of `examples/servers` are made of, as their builds reach no network."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from images.toolchain import environment

ROOT = Path(__file__).parents[2]
_SERVERS = ROOT / "examples/servers"
_NODE = _SERVERS / "node"
_STAMP = ROOT / ".build/example-servers"
_SOURCES = ("go/buf.gen.yaml", "go/go.mod", "node/buf.gen.yaml", "node/package-lock.json")
"""Decide, with the protos, what is generated and installed."""
_NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def prepare() -> None:
    """Generates code, installs what Node.js imports, and builds the program in Go."""
    with tempfile.TemporaryDirectory() as directory:
        variables = environment(Path(directory))
        digest = _digest()
        if not _is_complete(digest):
            _STAMP.unlink(missing_ok=True)
            _generate(variables)
            _install_imports(variables)
            _STAMP.write_text(digest)
        static = {**variables, "CGO_ENABLED": "0", "GOOS": "linux"}
        command = ("go", "-C", str(_SERVERS / "go"), "build", "-trimpath", "-o", "bin/linux/server")
        _run(command, static)


def _is_complete(digest: str) -> bool:
    made = (_SERVERS / "go/gen", _NODE / "gen", _NODE / "bin/node_modules")
    here = _STAMP.exists() and all(path.is_dir() for path in made)
    return here and _STAMP.read_text() == digest


def _generate(variables: Mapping[str, str]) -> None:
    _run((*_NPM_CI, "--prefix", str(_NODE)), variables)
    with_dev = {**variables, "PYTHONPATH": str(ROOT / "dev")}
    _run((sys.executable, "-m", "generate.protos", "lint"), with_dev)  # brings Google's protos
    buf = str(Path(sys.executable).with_name("buf"))
    for language in ("go", "node"):
        template = str(_SERVERS / language / "buf.gen.yaml")
        _run((buf, "generate", "--template", template), variables)


def _install_imports(variables: Mapping[str, str]) -> None:
    """Installs without what only development needs, beside the `node_modules` that has it."""
    target = _NODE / "bin"
    target.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_NODE / name, target / name)
    _run((*_NPM_CI, "--omit=dev", "--prefix", str(target)), variables)


def _digest() -> str:
    digest = hashlib.sha256()
    protos = sorted((ROOT / "proto/user").rglob("*.proto"))
    for path in (*protos, *(_SERVERS / name for name in _SOURCES)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _run(command: tuple[str, ...], variables: Mapping[str, str]) -> None:
    subprocess.run(command, cwd=ROOT, env=dict(variables), check=True, stdout=subprocess.DEVNULL)
