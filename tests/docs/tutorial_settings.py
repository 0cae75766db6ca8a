"""Every setting that a page may name: of the kit's server and client, and of a GrpcService."""

import ast
import dataclasses
import functools
import itertools
import re
from pathlib import Path
from typing import Any

import yaml

import grpc_service_kit.config
from grpc_service_kit import Environment, ServerConfig
from grpc_service_kit.client import ClientOptions, RetryPolicy
from tests.docs.pages import ROOT

_UNITS = {"": 1, "s": 1, "KiB": 1024, "MiB": 1024 * 1024}
_SWITCHES = {"on": True, "off": False}


class _Names(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        """Have nothing."""
        self.asked.add(key)
        return default


def variables() -> set[str]:
    """Returns every variable that a server of the kit reads."""
    names = _Names()
    ServerConfig.read(Environment(names))
    return names.asked


def client_options() -> dict[str, Any]:
    """Returns the defaults of what a client of the kit is given."""
    given = (*dataclasses.fields(ClientOptions), *dataclasses.fields(RetryPolicy))
    return {field.name: field.default for field in given}


def default(name: str) -> Any:
    """Returns the default of a variable, an option or a field; KeyError when there is none."""
    if name.startswith("spec."):
        return spec_field(name)["default"]
    return _server_defaults()[name] if name.isupper() else client_options()[name]


def value(text: str) -> Any:
    """Returns what a page means: `4 MiB`, `60 s`, `on`, `UNAVAILABLE`."""
    match = re.fullmatch(r"([\d.]+) ?(s|KiB|MiB|)", text)
    if match is not None:
        return float(match[1]) * _UNITS[match[2]]
    return _SWITCHES.get(text, text)


def same(documented: str, real: Any) -> bool:
    """Whether a page states a default as it is."""
    if isinstance(real, tuple):  # of status codes
        return documented == ", ".join(code.name for code in real)
    if real is None:
        return documented == "off"
    return documented == real or bool(value(documented) == real)


def spec_field(path: str) -> dict[str, Any]:
    """Returns the schema of a field such as `spec.drain.delay`; KeyError when there is none."""
    schema = _crd()
    for word in path.split("."):
        schema = schema.get("items", schema)["properties"][word]
    return schema


@functools.cache
def _crd() -> dict[str, Any]:
    crd = yaml.safe_load((ROOT / "crds" / "grpcservices.yaml").read_text())
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


@functools.cache
def _server_defaults() -> dict[str, Any]:
    """The docstring below each field of ServerConfig begins with its variable."""
    tree = ast.parse(Path(grpc_service_kit.config.__file__).read_text())
    (fields,) = (
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == ServerConfig.__name__
    )
    found = {}
    for field, text in itertools.pairwise(fields):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            assert isinstance(text.value, ast.Constant)
            variable = str(text.value.value).split(":")[0]
            found[variable] = getattr(ServerConfig(), field.target.id)
    return found
