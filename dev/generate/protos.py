"""Protos: generated Python stubs, lint, and the compatibility check.

`generate()` makes the committed stubs, those of `proto/NAME` for the service in `services/NAME`.
The command line runs buf, from the PyPI package buf-bin, without network:

    PYTHONPATH=dev python -m generate.protos lint      style and comment rules of buf.yaml
    PYTHONPATH=dev python -m generate.protos breaking  compare with proto/baseline.binpb
    PYTHONPATH=dev python -m generate.protos baseline  make today's protos the new baseline
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
BASELINE = PROTO / "baseline.binpb"
# What the protos import, and what that imports. Compiled from the installed package and never
# committed: at run time the Python modules come from that package too.
GOOGLE_PROTOS = (
    "api/annotations.proto",
    "api/http.proto",
    "rpc/error_details.proto",  # for example clients, which read the details of errors
    "rpc/status.proto",
    "type/money.proto",
)
GOOGLE_DIRECTORY = ROOT / ".build" / "googleapis"


class ToolError(Exception):
    """A tool is missing or failed; the text says which and what it printed."""


def generate() -> dict[str, str]:
    """Return the stubs of every proto: repository-relative path to file text."""
    _copy_google_protos()
    with tempfile.TemporaryDirectory() as directory:
        _run(_protoc_command(Path(directory)))
        return {
            _stub_path(path.relative_to(directory)): path.read_text(encoding="utf-8")
            for path in sorted(Path(directory).rglob("*"))
            if path.is_file()
        }


def lint() -> None:
    """Check style and comments; raise ToolError with buf's findings."""
    _copy_google_protos()
    _run([_script("buf"), "lint", "proto"])


def breaking() -> None:
    """Compare with the committed baseline; raise ToolError naming every incompatible change."""
    if not BASELINE.exists():
        raise ToolError(
            f"{BASELINE.relative_to(ROOT)} is missing: make it with"
            " `python -m generate.protos baseline`"
        )
    _copy_google_protos()
    _run([_script("buf"), "breaking", "proto", "--against", str(BASELINE)])


def baseline() -> None:
    """Write the protos of now to the baseline: once for each release."""
    _copy_google_protos()
    _run([_script("buf"), "build", "proto", "--exclude-source-info", "-o", str(BASELINE)])


def _stub_path(module: Path) -> str:
    """Return where a stub belongs: `user/v1/user_pb2.py` is of the service in `services/user`."""
    return f"services/{module.parts[0]}/gen/{module.as_posix()}"


def _protoc_command(output: Path) -> list[str]:
    bundled = resources.files("grpc_tools") / "_proto"
    includes = [f"--proto_path={path}" for path in (PROTO, GOOGLE_DIRECTORY, bundled)]
    plugins = [
        f"--plugin={name}={_script(name)}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    sources = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    outputs = [
        f"--python_out={output}",
        f"--grpc_python_out={output}",
        f"--mypy_out=quiet:{output}",
        f"--mypy_grpc_out=quiet:{output}",
    ]
    return [sys.executable, "-m", "grpc_tools.protoc", *includes, *plugins, *outputs, *sources]


def _copy_google_protos() -> None:
    """Fill the ignored build directory that stands in for buf's registry module."""
    for name in GOOGLE_PROTOS:
        folder, _, file = name.partition("/")
        target = GOOGLE_DIRECTORY / "google" / folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((resources.files(f"google.{folder}") / file).read_bytes())


def _script(name: str) -> str:
    """Find a console script of this Python environment, whether or not it is on PATH."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise ToolError(f"{name} is not installed in this Python environment: run `make init`")
    return found


def _run(command: list[str]) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ToolError(
            f"`{Path(command[0]).name} {' '.join(command[1:3])}` failed:\n"
            f"{result.stdout}{result.stderr}"
        )


def main() -> int:
    """Run one check; return 0, or 1 after printing what is wrong."""
    commands = {"lint": lint, "breaking": breaking, "baseline": baseline}
    parser = argparse.ArgumentParser(prog="python -m generate.protos", description=__doc__)
    parser.add_argument("command", choices=commands)
    name = parser.parse_args().command
    try:
        commands[name]()
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"protos: {name} ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
