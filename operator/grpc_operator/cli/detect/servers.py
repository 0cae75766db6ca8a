"""Which files of a source tree are one server, and what they say of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grpc_operator.cli.detect import languages, proto_files, source
from grpc_operator.cli.detect.languages import Language, Place
from grpc_operator.cli.detect.projects import (
    Dockerfile,
    Project,
    dockerfiles,
    projects,
    spring_ports,
)
from grpc_operator.cli.detect.proto_files import Defined
from grpc_operator.cli.detect.source import Source
from grpc_operator.cli.detect.walk import Tree


@dataclass
class File:
    """What a source file says.

    Attributes:
        source: The file.
        language: Its language.
        made: Where it makes a server.
        registered: Services that it adds to one.
        client: Where it makes a channel.
    """

    source: Source
    language: Language
    made: Place | None
    registered: list[Place]
    client: Place | None


@dataclass
class Server:
    """A server.

    Attributes:
        folder: Where it is, relative to the root.
        stem: Name of its file, if others are in the same folder.
        files: Its files.
        project: The manifest that it belongs to.
        dockerfile: The Dockerfile that builds it.
        spring: Its port in the configuration of Spring.
        services: The services of protos that it offers.
        unknown: Services that it offers, and that no proto defines.
    """

    folder: Path
    stem: str
    files: list[File]
    project: Project | None
    dockerfile: Dockerfile | None
    spring: list[Place]
    services: list[Defined] = field(default_factory=list)
    unknown: list[Place] = field(default_factory=list)

    @property
    def made(self) -> Place:
        """Where it is made; where a service is added if a library makes it."""
        found = next((each.made for each in self.files if each.made is not None), None)
        return found or next(place for each in self.files for place in each.registered)

    @property
    def language(self) -> Language:
        """Its language."""
        made = [each for each in self.files if each.made is not None]
        return (made or [each for each in self.files if each.registered])[0].language

    def ports(self) -> list[Place]:
        """Returns the ports on which it may listen; those of the files that make it come first."""
        made = sorted(self.files, key=lambda each: each.made is None)
        code = [place for each in made for place in languages.ports(each.language, each.source)]
        exposed = list(self.dockerfile.ports) if self.dockerfile else []
        return [*self.spring, *code, *exposed]

    def has(self, what: str) -> bool:
        """Returns whether it has the health service, or server reflection.

        Args:
            what: ``health`` or ``reflection``.
        """
        return any(getattr(each.language, what).search(each.source.text) for each in self.files)

    def variables(self) -> list[str]:
        """Returns the environment variables that it reads."""
        found = {
            name for each in self.files for name in languages.variables(each.language, each.source)
        }
        return sorted(found)


@dataclass
class Detected:
    """What a source tree has.

    Attributes:
        servers: By the order of their folders.
        notes: What else was seen, for people.
    """

    servers: list[Server]
    notes: list[str]


def detect(tree: Tree) -> Detected:
    """Returns the servers of a source tree."""
    files, defined = _read(tree)
    manifests, images = projects(tree), dockerfiles(tree)
    anchors = {each.folder for each in manifests} | {each.file.parent for each in images}
    units: dict[Path, list[File]] = {}
    for each in files:
        units.setdefault(_nearest(each.source.file.parent, anchors), []).append(each)
    servers, notes = [], []
    spring = spring_ports(tree)
    for folder, members in sorted(units.items()):
        parts = _parts(members)
        notes += _notes(folder, members, parts)
        for key, own in parts:
            at = key if key.suffix == "" else key.parent
            at = folder if len(parts) == 1 else at
            found = Server(
                at,
                "" if key.suffix == "" or len(parts) == 1 else key.stem,
                own,
                _of(at, manifests),
                _image(at, images),
                [place for file, place in spring if _is_below(file.parent, at)],
            )
            _match(found, defined)
            servers.append(found)
    notes += _without_server(servers, defined, manifests)
    return Detected(servers, [*notes, *_signals(tree), *tree.notes])


def _read(tree: Tree) -> tuple[list[File], list[Defined]]:
    """Returns source files that have to do with gRPC, and the services of protos."""
    files: list[File] = []
    defined: list[Defined] = []
    for file in tree.files:
        language = languages.language_of(file)
        if language is None and file.suffix != ".proto":
            continue
        found = source.read(file, tree.text(file))
        if found is None:
            continue
        if language is None:
            defined += proto_files.services(found)
        else:
            files.append(_file(language, found))
    return files, defined


def _file(language: Language, found: Source) -> File:
    made = client = None
    if language.uses.search(found.text):
        made = _place(found, language.server.search(found.text))
        client = _place(found, language.client.search(found.text))
    return File(found, language, made, list(languages.registered(language, found)), client)


def _place(found: Source, match: "re.Match[str] | None") -> Place | None:
    return Place(match[0], found.where(match.start())) if match else None


def _parts(members: list[File]) -> list[tuple[Path, list[File]]]:
    """Splits the files of a project where several folders, or several files, make a server each."""
    made = [each for each in members if each.made is not None]
    folders = sorted({each.source.file.parent for each in made})
    whole = [each for each in made if each.registered]
    # In Go, a folder is a package, which is one program at most.
    if len(folders) == 1 and len(whole) > 1 and made[0].language is not languages.GO:
        return [(each.source.file, [each]) for each in whole]
    if not made and any(each.registered for each in members):
        return [(members[0].source.file.parent, members)]  # a library makes the server
    if len(folders) <= 1:
        return [(each, members) for each in folders]
    owned: dict[Path, list[File]] = {folder: [] for folder in folders}
    for each in members:
        near = _nearest(each.source.file.parent, folders)
        if near in owned and _is_below(each.source.file.parent, near):
            owned[near].append(each)
    return list(owned.items())


def _match(server: Server, defined: list[Defined]) -> None:
    seen = set()
    for place in (place for file in server.files for place in file.registered):
        names = (place.value, f"{place.value}Service")
        found = [each for each in defined if each.name in names]
        if place.value in seen:
            continue
        seen.add(place.value)
        if found:
            server.services += [each for each in found if each not in server.services]
        else:
            server.unknown.append(place)


def _notes(folder: Path, members: list[File], parts: list[tuple[Path, list[File]]]) -> list[str]:
    where = folder.as_posix()
    if parts:
        return []
    client = next((each.client for each in members if each.client), None)
    if client:
        return [f"{client.where}: {where} is a client only, and needs no GrpcService"]
    return []


def _without_server(
    servers: list[Server], defined: list[Defined], manifests: list[Project]
) -> list[str]:
    served = {each.full_name for server in servers for each in server.services}
    notes = [
        f"{each.where}: no server was found for {each.full_name}"
        for each in defined
        if each.full_name not in served
    ]
    if not servers:
        notes += [
            f"{each.manifest}: depends on gRPC, and no server was found in its code"
            for each in manifests
            if each.uses_grpc
        ]
    return notes


def _signals(tree: Tree) -> list[str]:
    """Notes about configuration that says how descriptors and clients are made."""
    notes = []
    for file in tree.files:
        if file.name == "buf.yaml":
            notes.append(
                f"{file}: a module of buf; buf build -o api.binpb makes the descriptor that"
                " spec.descriptor and --descriptor take"
            )
        elif file.name.startswith("grpc-") and file.suffix == ".config":
            notes.append(f"{file}: is not read; set ports, probes and limits in the GrpcService")
    return notes


def _nearest(folder: Path, anchors: Iterable[Path]) -> Path:
    known = set(anchors)
    return next((each for each in (folder, *folder.parents) if each in known), Path())


def _is_below(folder: Path, other: Path) -> bool:
    return folder == other or other in folder.parents


def _of(folder: Path, manifests: list[Project]) -> Project | None:
    near = [each for each in manifests if _is_below(folder, each.folder)]
    return max(near, key=lambda each: len(each.folder.parts), default=None)


def _image(folder: Path, images: list[Dockerfile]) -> Dockerfile | None:
    near = [each for each in images if _is_below(folder, each.file.parent)]
    return max(near, key=lambda each: len(each.file.parent.parts), default=None)
