"""Schemas of Terraform providers, out of the npm packages of the CDK for Terraform.

The providers themselves are not in a package registry. These packages are generated from their
schemas: for each resource, the jsii assembly (``.jsii``) has the arguments and blocks, with types,
and which of them are required.
"""

import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from images.toolchain import environment
from localkind.locks import locked
from localkind.paths import cache_dir
from localkind.progress import Progress

_ASSEMBLY = "package/.jsii"
_TYPE_NAME = re.compile(r"/docs/(?P<kind>resources|data-sources)/\w+ (?P<name>\w+)\}")
_ARGUMENT = re.compile(r"\{@link https://registry\.terraform\.io/\S+#(?P<name>\w+) ")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BLOCK = " block."
"""How the summary of a block ends; arguments have a description."""
_PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_COLLECTIONS = {"array": "list", "map": "map"}

Schema = dict[str, Any]


@dataclass(frozen=True)
class Package:
    """An npm package with the schemas of a provider.

    Attributes:
        provider: Name of the provider, such as ``google``.
        spec: Name and version.
    """

    provider: str
    spec: str


GOOGLE = Package("google", "@cdktf/provider-google@16.12.1")
"""Of provider 6.50.0."""
AWS = Package("aws", "@cdktf/provider-aws@21.22.1")
"""Of provider 6.25.0."""


def schemas(package: Package, resources: Iterable[str], data_sources: Iterable[str]) -> Schema:
    """Returns the schemas of some resources, fetched once.

    Returns:
        ``provider`` (a block), ``resources`` and ``data_sources`` (blocks by type). A block has
        ``attributes`` and ``blocks``.
    """
    wanted = {"resources": sorted(resources), "data-sources": sorted(data_sources)}
    made_of = json.dumps([package.spec, wanted, Path(__file__).read_text()])
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    path = cache_dir() / "terraform" / f"{package.provider}-{key}.json"
    with locked(path.with_suffix(".lock"), Progress(), f"schemas of {package.provider}"):
        if not path.exists():
            made = _Assembly(_types(package)).schemas(wanted)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".partial").write_text(json.dumps(made))
            path.with_suffix(".partial").rename(path)
    found: Schema = json.loads(path.read_text())
    return found


def _types(package: Package) -> Mapping[str, Any]:
    with TemporaryDirectory() as folder:
        variables = environment(Path(folder))
        command = ["npm", "pack", "--json", "--pack-destination", folder, package.spec]
        done = subprocess.run(command, check=True, env=variables, capture_output=True)
        (packed,) = json.loads(done.stdout)
        with tarfile.open(Path(folder, packed["filename"])) as archive:
            assembly = archive.extractfile(_ASSEMBLY)
            assert assembly is not None
            types: Mapping[str, Any] = json.load(assembly)["types"]
    return types


@dataclass(frozen=True)
class _Assembly:
    """The types of a jsii assembly, by their full names."""

    types: Mapping[str, Any]

    def schemas(self, wanted: Mapping[str, list[str]]) -> Schema:
        classes = dict(self._classes())
        (provider,) = (name for name in self.types if re.search(r"\.provider\.\w+Config$", name))
        made = {
            kind: {name: self._resource(classes[kind, name]) for name in names}
            for kind, names in wanted.items()
        }
        return {
            "provider": self._block(provider),
            "resources": made["resources"],
            "data_sources": made["data-sources"],
        }

    def _classes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Yields kind and type of resources and data sources, with their classes."""
        for name, each in self.types.items():
            summary = each.get("docs", {}).get("summary", "")
            if summary.startswith("Represents a ") and (found := _TYPE_NAME.search(summary)):
                yield (found["kind"], found["name"]), name

    def _resource(self, class_: str) -> Schema:
        block = self._block(f"{class_}Config")
        known = {each["name"] for each in (*block["attributes"], *block["blocks"])}
        computed = [
            {"name": name, "type": type_, "required": False, "computed": True}
            for name, type_ in self._computed(class_)
            if name not in known
        ]
        return {**block, "attributes": [*block["attributes"], *computed]}

    def _computed(self, class_: str) -> Iterator[tuple[str, Any]]:
        """Yields what a resource has besides arguments, with its type; of objects it is unknown."""
        for each in self.types[class_]["properties"]:
            if not each.get("immutable") or each.get("static") or each["name"].endswith("Input"):
                continue
            yield _CAPITAL.sub("_", each["name"]).lower(), self._type(each["type"])

    def _block(self, struct: str) -> Schema:
        attributes, blocks = [], []
        for each in self.types[struct].get("properties", ()):
            docs = each.get("docs", {})
            # Where a description has an @, what follows is in a tag of its own.
            found = _ARGUMENT.search(json.dumps(docs))
            if found is None:  # of the CDK itself, such as ``connection``
                continue
            name = found["name"]
            known = {"name": name, "required": not each.get("optional", False)}
            if docs.get("summary", "").endswith(_BLOCK):
                inner, single = self._nested(each["type"])
                blocks.append({**known, "single": single, "block": self._block(inner)})
            else:
                attributes.append({**known, "type": self._type(each["type"]), "computed": False})
        return {"attributes": attributes, "blocks": blocks}

    def _nested(self, given: Mapping[str, Any]) -> tuple[str, bool]:
        """Returns the struct of a block, and whether there is at most one."""
        type_ = _without_tokens(given)
        if "fqn" in type_:
            return str(type_["fqn"]), True
        return str(_without_tokens(type_["collection"]["elementtype"])["fqn"]), False

    def _type(self, given: Mapping[str, Any]) -> Any:
        """Returns a type as the protocol has it, in JSON."""
        type_ = _without_tokens(given)
        if "primitive" in type_:
            return _PRIMITIVES[type_["primitive"]]
        if "collection" in type_:
            collection = type_["collection"]
            return [_COLLECTIONS[collection["kind"]], self._type(collection["elementtype"])]
        known = {"cdktf.IResolvable": "bool", "cdktf.StringMap": ["map", "string"]}
        if type_["fqn"] in known:
            return known[type_["fqn"]]
        struct = self.types.get(type_["fqn"], {})
        if struct.get("kind") == "interface":
            block = self._block(type_["fqn"])
            return ["object", {each["name"]: each["type"] for each in block["attributes"]}]
        return "dynamic"


def _without_tokens(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns a type without the values of the CDK that are not known yet."""
    if "union" not in given:
        return given
    types = given["union"]["types"]
    real: list[Mapping[str, Any]] = [
        each for each in types if each.get("fqn") != "cdktf.IResolvable"
    ]
    return real[0]
