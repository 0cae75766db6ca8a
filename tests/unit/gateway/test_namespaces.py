"""Namespaces are selected as Kubernetes selects by labels."""

from typing import Any

import pytest

from grpc_operator.api.grpc_gateway import NamespaceSelector
from grpc_operator.gateway.namespaces import selected

LABELS = {
    "shop": {"team": "a", "stage": "test"},
    "web": {"team": "b"},
    "plain": {},
}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, {"shop", "web", "plain"}),
        ({"matchLabels": {"team": "a"}}, {"shop"}),
        ({"matchLabels": {"team": "a", "stage": "live"}}, set()),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]},
         {"shop", "web"}),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]},
         {"web", "plain"}),
        ({"matchExpressions": [{"key": "stage", "operator": "Exists"}]}, {"shop"}),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, {"plain"}),
        ({"matchLabels": {"team": "b"},
          "matchExpressions": [{"key": "stage", "operator": "Exists"}]}, set()),
    ],
)  # fmt: skip
def test_labels_are_matched(selector: dict[str, Any], expected: set[str]) -> None:
    """All conditions must hold; without a condition everything matches."""
    assert selected(NamespaceSelector.model_validate(selector), LABELS) == expected


def test_without_labels_nothing_is_selected() -> None:
    """An operator that watches some namespaces knows no labels: not even ``{}`` grants anything."""
    assert selected(NamespaceSelector(), None) == frozenset()
    assert selected(None, LABELS) == frozenset()
