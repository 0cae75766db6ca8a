"""docs/operations.md names every metric, condition and reason, and none that does not exist."""

import ast
import re
from collections.abc import Iterator

from kubernetes.aio import client

from grpc_operator.app.operator import Operator
from grpc_operator.kube.connection import Connection
from grpc_operator.settings import Settings
from tests.docs.pages import ROOT, first_column, section

PAGE = ROOT / "docs" / "operations.md"
SOURCES = [
    ROOT / "operator/grpc_operator/errors.py",
    *sorted((ROOT / "operator/grpc_operator/status").glob("*.py")),
    *sorted((ROOT / "operator/grpc_operator/controlplane").glob("*.py")),
    *sorted((ROOT / "operator/grpc_operator/reconcile").glob("*.py")),
]
RAISING = [
    *sorted((ROOT / "operator/grpc_operator/reflection").glob("*.py")),
    *sorted((ROOT / "operator/grpc_operator/descriptor").glob("*.py")),
]
"""Where a reason stands beside an error; other CamelCase words there are of protobuf."""
_WORD = re.compile(r"([A-Z][a-z]+)+")
CONDITIONS = {
    *("Accepted", "ResolvedRefs", "Available", "Programmed"),
    *("Ready", "Reconciling", "Stalled"),
}
NO_REASONS = {
    *("True", "False", "Unknown"),  # status of a condition
    *("Normal", "Warning"),  # type of an Event
    *("Reconcile", "Apply"),  # action of an Event, operation of a field manager
    *("ConfigMap", "Reflection", "Inline"),  # sources of a descriptor
    *("Unary", "ClientStreaming", "ServerStreaming", "Bidirectional"),  # kinds of methods
    *("GrpcService", "GrpcGateway", "Error", "InCluster"),
    *("All", "Names", "Owner"),  # kinds; what a container's end is called when nobody says
    *("ContainerCreating", "PodInitializing"),  # a pod on its way, which is no trouble
    *("PodScheduled", "ReplicaFailure", "Progressing"),  # conditions of others, see OF_OTHERS
}
OF_OTHERS = {"ReplicaFailure", "Progressing"}
"""Types of a Deployment's conditions that are reasons of ours as well."""


async def test_every_metric_is_documented_and_every_documented_one_exists() -> None:
    """What a scrape shows and what the page lists are the same names."""
    connection = Connection(client.ApiClient(client.Configuration(host="http://127.0.0.1:1")))
    try:
        metrics = Operator(Settings(), connection)._metrics  # noqa: SLF001 - nobody else asks
    finally:
        await connection.close()
    exposed = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in metrics.registry.collect()
    }

    documented = {name.split("{")[0] for name in first_column(section(PAGE, "## Metrics"))}
    mentioned = set(re.findall(r"grpc_operator_[a-z_]+", PAGE.read_text()))

    assert documented == exposed
    assert mentioned == exposed


def test_every_reason_in_the_code_is_documented() -> None:
    """Also those of conditions that come from Kubernetes only when it gives no reason itself."""
    documented = first_column(section(PAGE, "## Reasons"))
    documented |= first_column(section(PAGE, "## Conditions"))
    documented |= set(re.findall(r"`(\w+)`", section(PAGE, "## Events")))

    assert _reasons() <= documented


def test_every_documented_reason_is_in_the_code() -> None:
    """What Kubernetes itself says stands in a table of its own."""
    own = section(PAGE, "## Reasons").split("### Passed on from Kubernetes")[0]

    assert first_column(own) <= _reasons()


def test_every_condition_is_documented() -> None:
    """The table of conditions holds exactly the types that a status has."""
    summary = (ROOT / "operator/grpc_operator/status/conditions.py").read_text()
    types = {name for name in CONDITIONS if re.search(rf'\("{name}", (\*_|observed)', summary)}

    assert types == CONDITIONS
    assert first_column(section(PAGE, "## Conditions")) == types


def _reasons() -> set[str]:
    words = {word for path in SOURCES for word in _words(ast.parse(path.read_text()))}
    words |= {word for path in RAISING for word in _raised(ast.parse(path.read_text()))}
    types = CONDITIONS - {"Accepted", "Programmed", "Ready"}
    return (words - NO_REASONS - types) | OF_OTHERS


def _words(tree: ast.AST) -> Iterator[str]:
    """Yields every CamelCase string literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value
            if _WORD.fullmatch(word):
                yield word


def _raised(tree: ast.AST) -> Iterator[str]:
    """Yields what is given as ``reason``, and what a ReflectionError begins with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            reasons = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            if isinstance(node.func, ast.Name) and node.func.id == "ReflectionError":
                reasons += node.args[:1]
            yield from (word for reason in reasons for word in _words(reason))
        if isinstance(node, ast.FunctionDef):
            defaults = [default for default in node.args.kw_defaults if default is not None]
            yield from (word for default in defaults for word in _words(default))
