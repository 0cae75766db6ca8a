"""A server of a source tree -> a GrpcService, and what nobody can know from the source."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from grpc_operator import limits
from grpc_operator.cli.detect.languages import Place
from grpc_operator.cli.detect.servers import Server
from grpc_operator.cli.importing.objects import grpc_service
from grpc_operator.cli.importing.written import Written

DEFAULT_PORT = 50051
_IMAGE = "replace-me.invalid/{name}:latest"
_GENERIC = frozenset(
    {
        "app",
        "backend",
        "bin",
        "cmd",
        "go",
        "grpc",
        "internal",
        "java",
        "kotlin",
        "lib",
        "main",
        "node",
        "pkg",
        "python",
        "rust",
        "server",
        "service",
        "services",
        "src",
    }
)
_MOST_VARIABLES = 20


@dataclass
class Proposal:
    """A GrpcService with what was found and what was not.

    Attributes:
        written: The GrpcService.
        found: With file and line.
        unknown: What is to be filled in, and how to find out.
    """

    written: Written
    found: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def proposals(servers: list[Server], root: Path) -> list[Proposal]:
    """Returns a GrpcService for each server.

    Args:
        servers: The servers.
        root: The folder of all of them, whose name is the last resort for a name.
    """
    names = [_name(each, root) for each in servers]
    count = Counter(names)
    used: Counter[str] = Counter()
    result = []
    for server, name in zip(servers, names, strict=True):
        used[name] += 1
        unique = name if count[name] == 1 else f"{name}-{used[name]}"
        result.append(_proposal(server, unique))
    return result


def _proposal(server: Server, name: str) -> Proposal:
    spec: dict[str, object] = {"image": _IMAGE.format(name=name)}
    proposal = Proposal(Written(grpc_service({"name": name}, spec)))
    proposal.found.append(f"{server.made.where}: a gRPC server in {server.language.name}")
    _image(server, proposal)
    _port(server, proposal)
    _probes(server, proposal)
    _services(server, proposal)
    _rest(server, proposal)
    return proposal


def _image(server: Server, proposal: Proposal) -> None:
    if server.dockerfile is None:
        how = "there is no Dockerfile near the server: write one, build it, and set spec.image"
    else:
        file = server.dockerfile.file.as_posix()
        how = f"build it (docker build -f {file} .), push it, and set spec.image"
    proposal.unknown.append(f"image: {how}")
    proposal.written.comment(f"A placeholder: {how}.", "spec", "image")


def _port(server: Server, proposal: Proposal) -> None:
    places = server.ports()
    spec = proposal.written.data["spec"]
    if not places:
        spec["port"] = DEFAULT_PORT
        proposal.unknown.append(
            f"port: {DEFAULT_PORT} is assumed; run the server, and see on which port it listens"
        )
        proposal.written.comment("A guess: no port was found in the source.", "spec", "port")
        return
    chosen = _chosen(places)
    spec["port"] = int(chosen.value)
    proposal.found.append(f"{chosen.where}: port {chosen.value}")
    others = sorted({each.value for each in places if each.value != chosen.value}, key=int)
    if others:
        text = f"{', '.join(others)} may be meant as well"
        proposal.unknown.append(f"port: {chosen.value} is taken; {text}")
        proposal.written.comment(f"From {chosen.where}; {text}.", "spec", "port")


def _chosen(places: list[Place]) -> Place:
    """Returns the first port that looks like one of gRPC: 500xx, or else the first."""
    return next((each for each in places if each.value.startswith("500")), places[0])


def _probes(server: Server, proposal: Proposal) -> None:
    if server.has("health"):
        proposal.found.append("the health service grpc.health.v1, which the probes call")
        return
    proposal.written.data["spec"]["probes"] = {
        "startup": {"tcpSocket": {}},
        "readiness": {"tcpSocket": {}},
        "liveness": {"mode": "Disabled"},
    }
    text = "no health service (grpc.health.v1) was found; the probes only open a connection"
    proposal.unknown.append(f"health: {text}: add the service, and remove spec.probes")
    proposal.written.comment(f"A guess: {text}.", "spec", "probes")


def _services(server: Server, proposal: Proposal) -> None:
    if server.services:
        names = sorted({each.full_name for each in server.services})
        proposal.written.data["spec"]["services"] = names
        proposal.found += [f"{each.where}: service {each.full_name}" for each in server.services]
    if server.unknown or not server.services:
        for place in server.unknown:
            proposal.unknown.append(
                f"services: {place.where} adds {place.value}, which no .proto file here defines"
            )
        if not server.unknown:
            proposal.unknown.append(
                "services: none was seen being added; grpcurl -plaintext HOST:PORT list shows them"
            )


def _rest(server: Server, proposal: Proposal) -> None:
    if server.has("reflection"):
        proposal.found.append("server reflection, by which a gateway learns the API")
    else:
        proposal.unknown.append(
            "descriptor: no server reflection was found; to serve through a gateway, set"
            " spec.descriptor"
        )
    variables = server.variables()
    if variables:
        shown = ", ".join(variables[:_MOST_VARIABLES])
        more = len(variables) - _MOST_VARIABLES
        tail = f" and {more} more" if more > 0 else ""
        proposal.unknown.append(f"env: the code reads {shown}{tail}; set them in spec.env")
    proposal.unknown.append(
        "resources: set spec.resources from what kubectl top pods shows under load"
    )


def _name(server: Server, root: Path) -> str:
    """Returns a name: that of the file or folder, the project, or the whole tree."""
    stem = re.sub(r"[_-]?(server|main)$", "", server.stem)
    candidates = [stem, *reversed(server.folder.parts)]
    candidates = [each for each in candidates if each and each.lower() not in _GENERIC]
    project = server.project.name if server.project else ""
    for text in (*candidates[:1], project, root.resolve().name):
        made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        if made and not made[0].isalpha():
            made = f"s-{made}"
        if made:
            return made[: limits.NAME_LENGTH.value - 4].rstrip("-")
    return "server"
