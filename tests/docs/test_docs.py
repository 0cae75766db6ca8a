"""Links, paths, commands and names in every page."""

import functools
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT, anchors, commands, first_column, links, pages, spans, title

_FRAGMENT = re.compile(r"(\+[a-z0-9-]+|[0-9]+)\.(added|changed|fixed|removed|security)\.md")
_PATH = re.compile(r"[\w.*+-]+(/[\w.*+-]+)*/?")
_PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")
_TARGET = re.compile(r"^([a-z0-9-]+):.*##", re.MULTILINE)
_BASES = (
    "operator/grpc_operator",
    "services/kit/grpc_service_kit",
    *(f"services/{name}" for name in ("user", "product", "order")),
    *(f"services/{name}/{name}_service" for name in ("user", "product", "order")),
)
"""Folders that pages about them leave out."""

every_page = pytest.mark.parametrize("page", pages(), ids=title)


@every_page
def test_links_resolve(page: Path) -> None:
    """Files exist, and so do the headings that anchors name."""
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page

        assert target.exists(), f"{link}: no such file"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


@every_page
def test_make_targets_exist(page: Path) -> None:
    """Whoever copies a command gets further than `No rule to make target`."""
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    for command in commands(page):
        words = command.split("#")[0].split()
        if words[:1] == ["make"]:
            assert {w for w in words[1:] if "=" not in w} <= targets, command


@every_page
def test_paths_exist(page: Path) -> None:
    """Everything in backticks that looks like a path of this repository is one."""
    top = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for span in spans(page):
        if "/" not in span or not _PATH.fullmatch(span) or _PLACEHOLDER.search(span):
            continue
        first, last = span.split("/")[0], span.rstrip("/").split("/")[-1]
        if first in top or Path(last).suffix in {".py", ".md", ".yaml", ".toml", ".tpl", ".sh"}:
            bases = (ROOT, page.parent, *(ROOT / base for base in _BASES))
            assert any(any(base.glob(span.rstrip("/"))) for base in bases), f"{span} does not exist"


@every_page
def test_fields_and_values_exist(page: Path) -> None:
    """`spec.x.y` is a field of the CRD; `x.y` that begins like a chart value is one."""
    schemas = [
        _loaded(f"crds/{name}.yaml")["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for name in ("grpcservices", "grpcgateways")
    ]
    values = _loaded("charts/grpc-operator/values.yaml")
    if "Do not edit." in page.read_text().splitlines()[0]:
        return  # generated from the models themselves
    for span in spans(page):
        words = span.split(".")
        if not re.fullmatch(r"[a-z]\w*(\.[a-z]\w*)+", span, re.IGNORECASE):
            continue
        if words[0] in {"spec", "status"}:
            assert any(_has_field(each, words) for each in schemas), f"{span} is not a field"
        elif words[0] in values:
            assert _has_value(values, words), f"{span} is not a chart value"


@functools.cache
def _loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def _has_field(schema: dict[str, Any], words: list[str]) -> bool:
    if schema.get("x-kubernetes-preserve-unknown-fields") or not words:
        return True
    child = schema.get("items", schema).get("properties", {}).get(words[0])
    return child is not None and _has_field(child, words[1:])


def _has_value(values: Any, words: list[str]) -> bool:
    for word in words:
        if not isinstance(values, dict) or word not in values:
            return False
        values = values[word]
    return True


def test_every_dependency_has_its_reason() -> None:
    """docs/adr/0008 names what pyproject.toml does, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = {
        name: [entry for entry in entries if isinstance(entry, str)]
        for name, entries in project["dependency-groups"].items()
    }
    services = {_package(entry) for entry in groups.pop("services")}
    cli = {_package(entry) for entry in project["project"]["optional-dependencies"]["cli"]}
    wanted = {_package(entry) for entry in chain.from_iterable(groups.values())}
    wanted -= {project["project"]["name"]}
    page = ROOT / "docs/adr/0008-dependencies.md"
    named = set(spans(page))

    missing = {name for name in wanted if name not in named and not name.startswith("types-")}
    operator = {_package(entry) for entry in project["project"]["dependencies"]}
    rows = first_column(page.read_text())

    assert missing == set()
    assert rows - groups.keys() - {"services"} == operator | cli
    assert services


def _package(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert match
    return match.group()


def test_decisions_are_numbered_and_whole() -> None:
    """No number twice or left out, and each page has every part of the template."""
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    headings = ("## Context", "## Decision", "## Alternatives", "## Consequences")

    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(len(decisions))]
    for path in decisions:
        text = path.read_text()
        number = "NNNN" if path.name.startswith("0000") else path.name[:4]

        assert text.startswith(f"# {number}: "), path.name
        assert [h for h in headings if f"\n{h}\n" not in text] == [], path.name


def test_changelog_fragments_have_names_that_towncrier_reads() -> None:
    """Towncrier leaves out a misnamed fragment without a word."""
    names = [p.name for p in (ROOT / "changelog.d").iterdir() if p.name != ".gitkeep"]

    assert [name for name in names if not _FRAGMENT.fullmatch(name)] == []
