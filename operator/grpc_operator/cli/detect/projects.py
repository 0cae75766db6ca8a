"""What manifests and Dockerfiles say: dependencies on gRPC, names, ports."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grpc_operator.cli import manifests
from grpc_operator.cli.detect.languages import Place
from grpc_operator.cli.detect.walk import Tree
from grpc_operator.cli.errors import CliError

_DEPENDENCY = {
    "go.mod": re.compile(r"\bgoogle\.golang\.org/grpc\s+v"),
    "package.json": re.compile(r"\"(@grpc/grpc-js|@grpc/proto-loader|grpc|nice-grpc)\"\s*:"),
    "pyproject.toml": re.compile(r"\bgrpcio(-tools)?\b"),
    "requirements.txt": re.compile(r"^grpcio(-tools)?\b", re.MULTILINE),
    "setup.py": re.compile(r"\bgrpcio(-tools)?\b"),
    "Pipfile": re.compile(r"^grpcio(-tools)?\b", re.MULTILINE),
    "Cargo.toml": re.compile(r"^tonic\b|\.tonic\]", re.MULTILINE),
    "pom.xml": re.compile(r"<groupId>\s*(io\.grpc|net\.devh)\s*<|grpc-spring"),
    "build.gradle": re.compile(r"io\.grpc:grpc-|grpc-spring"),
    "build.gradle.kts": re.compile(r"io\.grpc:grpc-|grpc-spring"),
}
_DOCKERFILE = re.compile(r"^(Dockerfile|Containerfile)(\..+)?$|\.Dockerfile$")
_EXPOSE = re.compile(r"^[ \t]*EXPOSE[ \t]+(.+)$", re.MULTILINE | re.IGNORECASE)
_SPRING_PORT = re.compile(r"^grpc\.server\.port\s*[=:]\s*([0-9]{2,5})", re.MULTILINE)
_SPRING_STEPS = ("grpc", "server", "port")
_GO_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)
_ARTIFACT = re.compile(r"<artifactId>\s*([\w.-]+)\s*</artifactId>")
_VERSION = re.compile(r"v[0-9]+")


@dataclass(frozen=True)
class Project:
    """A folder with a manifest.

    Attributes:
        folder: Relative to the root.
        manifest: The file.
        uses_grpc: Whether it depends on gRPC.
        name: What it calls itself; empty if it does not.
    """

    folder: Path
    manifest: Path
    uses_grpc: bool
    name: str


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile.

    Attributes:
        file: Relative to the root.
        ports: What it exposes.
    """

    file: Path
    ports: tuple[Place, ...]


def projects(tree: Tree) -> list[Project]:
    """Returns the folders with a manifest."""
    return [_project(file, tree.text(file)) for file in tree.files if file.name in _DEPENDENCY]


def dockerfiles(tree: Tree) -> list[Dockerfile]:
    """Returns the Dockerfiles."""
    found = [file for file in tree.files if _DOCKERFILE.search(file.name)]
    return [Dockerfile(file, tuple(_exposed(file, tree.text(file)))) for file in found]


def spring_ports(tree: Tree) -> list[tuple[Path, Place]]:
    """Returns the ports in the configuration of Spring, each with its file."""
    found = []
    for file in tree.files:
        if not re.fullmatch(r"application.*\.(properties|ya?ml)", file.name):
            continue
        text = tree.text(file)
        match = _SPRING_PORT.search(text)
        if match:
            found.append((file, Place(match[1], _where(file, text, match.start(1)))))
        elif file.suffix != ".properties":
            found += [(file, place) for place in _spring_yaml(file, text)]
    return found


def _spring_yaml(file: Path, text: str) -> Iterator[Place]:
    try:
        documents = manifests.of_text(text, file.as_posix())
    except CliError:
        return
    for each in documents:
        value = each.data
        for step in _SPRING_STEPS:
            value = value.get(step) if isinstance(value, dict) else None
        if type(value) is int:
            yield Place(str(value), each.where(_SPRING_STEPS))


def _project(file: Path, text: str) -> Project:
    uses = bool(_DEPENDENCY[file.name].search(text))
    return Project(file.parent, file, uses, _name(file, text))


def _name(file: Path, text: str) -> str:
    """Returns the name; a manifest that cannot be read has none."""
    try:
        match file.name:
            case "go.mod":
                return _last_of_module(text)
            case "package.json":
                return str(json.loads(text).get("name", "")).rpartition("/")[2]
            case "pyproject.toml" | "Cargo.toml":
                table = "project" if file.name == "pyproject.toml" else "package"
                return str(tomllib.loads(text).get(table, {}).get("name", ""))
            case "pom.xml":
                outside = re.sub(r"<parent>[\s\S]*?(?:</parent>|\Z)", "", text)
                artifact = _ARTIFACT.search(outside)
                return artifact[1] if artifact else ""
            case _:
                return ""
    except (ValueError, AttributeError, RecursionError):
        return ""


def _last_of_module(text: str) -> str:
    module = _GO_MODULE.search(text)
    parts = module[1].split("/") if module else [""]
    versioned = len(parts) > 1 and _VERSION.fullmatch(parts[-1])
    return parts[-2] if versioned else parts[-1]


def _exposed(file: Path, text: str) -> list[Place]:
    found = []
    for line in _EXPOSE.finditer(text):
        for port in line[1].split():
            number = port.partition("/")[0]
            if number.isascii() and number.isdigit() and 1 <= int(number[:6]) <= 65535:  # noqa: PLR2004 - ports
                found.append(Place(number, _where(file, text, line.start())))
    return found


def _where(file: Path, text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"{file.as_posix()}:{line}"
