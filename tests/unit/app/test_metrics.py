"""Metrics have the labels that alerts select by, and nothing that nobody asked for."""

from prometheus_client import generate_latest

from grpc_operator.app.metrics import Metrics
from grpc_operator.xds.state import Stats


def test_reconciliations_are_counted_by_kind_and_result() -> None:
    """A gateway that fails is not hidden among the services."""
    metrics = Metrics()
    metrics.reconciled("GrpcGateway", "error", 0.5)
    lines = generate_latest(metrics.registry).decode().splitlines()

    assert 'grpc_operator_reconcile_total{kind="GrpcGateway",result="error"} 1.0' in lines
    assert 'grpc_operator_reconcile_total{kind="GrpcService",result="error"} 0.0' in lines
    assert 'grpc_operator_reconcile_time_seconds_sum{kind="GrpcGateway"} 0.5' in lines


def test_there_are_no_created_series() -> None:
    """Each would double the number of series for a time that Prometheus does not use."""
    metrics = Metrics()
    metrics.wrote("apply", "Deployment")

    assert b"_created" not in generate_latest(metrics.registry)


def test_no_label_holds_the_name_of_an_object() -> None:
    """Everybody in the cluster may read /metrics: kinds, verbs, types and results only."""
    metrics = Metrics()
    metrics.serve(Stats())
    metrics.wrote("apply", "Deployment")
    metrics.watched("Pod")
    metrics.reconciled("GrpcService", "success", 0.1)
    labels = {
        label
        for family in metrics.registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert labels == {"kind", "le", "result", "type", "verb"}
