"""One vocabulary in everything that users read: the terms of Kubernetes, gRPC and Envoy."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grpc_operator.app.metrics import Metrics
from grpc_operator.xds.state import Stats
from tests.docs.pages import ROOT

COINED = re.compile(
    r"""\b(
      (?:look|looks|looked|looking)(?!\ (?:like|up))  # reconcile, check, read
    | touch|touches|touched|touching                 # mark dirty, enqueue, change
    | tell|tells|telling|told                        # publish, notify, report, say
    | edge(?!-triggered)                             # attachment state
    | obstacles?|carr(?:y|ies|ied)\ out|trouble      # blocking error, applied, problem
    | pinned\ sets?|ledgers?|footprints?             # descriptor cache, conflict index, claims
    | wants|minds                                    # requests, conflicts with
    | flying|lands?|landed|patience                  # in flight, acknowledged, ack timeout
    | own\ scope|rescopes?|what\ stays               # REST scope, intersect, gc freeze
    | (?<!there\ )(?:is|are)\ no                     # is not a valid
    | mends?|mended|in\ vain|(?:is|are)\ there       # fix, without effect, exists
    )\b(?!\ longer)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words that only this project would use this way, and beside them what to write instead.

Not meant: looking up a name, what looks like something else, edge-triggered, "there is no" and "is
no longer".
"""

_SPAN = re.compile(r"`[^`\n]+`")
_CHART = ROOT / "charts" / "grpc-operator"
_CRDS = sorted((ROOT / "crds").glob("*.yaml"))


def _pages() -> list[Path]:
    chart = [
        path for path in _CHART.rglob("*") if path.is_file() and path.name != "values.schema.json"
    ]
    return sorted(
        [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *_CRDS, *chart, ROOT / "Tiltfile"]
    )


def _coined(text: str) -> list[str]:
    """Returns each coined word with the words around it."""
    prose = " ".join(_SPAN.sub("``", text).split())
    return [
        prose[max(0, match.start() - 30) : match.end() + 30] for match in COINED.finditer(prose)
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Looks taken at a GrpcService. The proxies are told.", 2),
        ("foo is no duration; mend it, the file is there.", 3),
        (
            "`kubectl touch` looks like it; it is no longer edge-triggered, and there is no rule.",
            0,
        ),
    ],
)
def test_coined_words_are_found(text: str, count: int) -> None:
    """The checks below are able to fail, and leave ordinary English alone."""
    assert len(_coined(text)) == count


@pytest.mark.parametrize("page", _pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_have_no_coined_words(page: Path) -> None:
    """CRDs, chart and documentation need no dictionary."""
    assert _coined(page.read_text()) == []


def test_metrics_have_no_coined_words() -> None:
    """The help of a metric says what is counted in the words of controller-runtime and Envoy."""
    metrics = Metrics()
    metrics.serve(Stats())
    found = [
        each for family in metrics.registry.collect() for each in _coined(family.documentation)
    ]

    assert found == []


_SOURCES = sorted((ROOT / "operator" / "grpc_operator").rglob("*.py"))


@pytest.mark.parametrize("source", _SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_have_no_coined_words(source: Path) -> None:
    """Conditions, Events, errors and logs are made of these literals."""
    assert [each for text in _literals(source) for each in _coined(text)] == []


def _literals(source: Path) -> Iterator[str]:
    """Yields every string of a module but its docstrings."""
    tree = ast.parse(source.read_text())
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str):
            yield node.value
