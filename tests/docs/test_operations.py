"""docs/operations.md names every metric, condition and reason, and none that does not exist."""

import re

from kubernetes.aio import client
from prometheus_client.registry import Collector

from grpc_operator.api.reasons import ONLY_OF_EVENTS, Reason
from grpc_operator.app.object_metrics import ObjectMetrics
from grpc_operator.app.operator import Operator
from grpc_operator.app.revision_metrics import RevisionMetrics
from grpc_operator.engine.store import Store
from grpc_operator.kube.connection import Connection
from grpc_operator.settings import Settings
from tests.docs.pages import ROOT, first_column, section

PAGE = ROOT / "docs" / "operations.md"
CONDITIONS = {
    *("Accepted", "ResolvedRefs", "Available", "Programmed"),
    *("Ready", "Reconciling", "Stalled"),
    "ScalingActive",
    "DisruptionAllowed",
}


async def test_every_metric_is_documented_and_every_documented_one_exists() -> None:
    """What a scrape shows and what the page lists are the same names."""
    connection = Connection(
        client.ApiClient(client.Configuration(host="http://127.0.0.1:1")), in_cluster=True
    )
    try:
        metrics = Operator(Settings(), connection)._metrics  # noqa: SLF001 - nobody else asks
    finally:
        await connection.close()
    exposed = _names(metrics.registry)

    documented = {name.split("{")[0] for name in first_column(section(PAGE, "## Metrics"))}
    mentioned = set(re.findall(r"grpc_operator_[a-z_]+", PAGE.read_text()))

    of_objects = _names(ObjectMetrics(Store(), lambda: True))
    of_objects |= _names(RevisionMetrics(Store(), dict, lambda: True))

    assert documented == exposed | of_objects
    assert mentioned == exposed


def _names(of: Collector) -> set[str]:
    """Returns the names of metrics as Prometheus shows them."""
    return {family.name + ("_total" if family.type == "counter" else "") for family in of.collect()}


def test_the_documented_reasons_are_those_of_the_operator() -> None:
    """What Kubernetes itself says stands in a table of its own."""
    own, passed_on = section(PAGE, "## Reasons").split("### Passed on from Kubernetes")

    assert first_column(own) == set(Reason)
    assert not first_column(passed_on) & set(Reason)
    assert set(re.findall(r"`(\w+)`", section(PAGE, "## Events"))) >= ONLY_OF_EVENTS


def test_every_condition_is_documented() -> None:
    """The table of conditions holds exactly the types that a status has."""
    summary = (ROOT / "operator/grpc_operator/status/conditions.py").read_text()
    types = {
        name for name in CONDITIONS if re.search(rf'\("{name}", (_|observed|scaling)', summary)
    }

    assert types == CONDITIONS
    assert first_column(section(PAGE, "## Conditions")) == types
