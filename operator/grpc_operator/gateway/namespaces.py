"""Selects namespaces by their labels (metav1.LabelSelector)."""

from collections.abc import Mapping

from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.api.grpc_gateway import LabelSelectorRequirement, NamespaceSelector

Namespaces = Mapping[str, Mapping[str, str]]
"""The labels of every namespace, by its name."""


def selected(selector: NamespaceSelector | None, namespaces: Namespaces | None) -> frozenset[str]:
    """Returns the names of the namespaces that a selector selects.

    Args:
        selector: ``None`` selects nothing, an empty one everything.
        namespaces: ``None`` when they are not watched: then nothing is selected.
    """
    if selector is None:
        return frozenset()
    return frozenset(
        name for name, labels in (namespaces or {}).items() if _matches(selector, labels)
    )


def selectors(spec: GrpcGatewaySpec) -> list[str]:
    """Returns the fields of a GrpcGateway that select namespaces by their labels."""
    return [
        *(
            f"spec.listeners[{index}].allowedNamespaces.selector"
            for index, listener in enumerate(spec.listeners)
            if listener.allowed_namespaces and listener.allowed_namespaces.selector
        ),
        *(
            f"spec.hostnames[{index}].namespaceSelector"
            for index, grant in enumerate(spec.hostnames or ())
            if grant.namespace_selector
        ),
    ]


def _matches(selector: NamespaceSelector, labels: Mapping[str, str]) -> bool:
    wanted = selector.match_labels or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each, labels) for each in selector.match_expressions or ()
    )


def _holds(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    """Kubernetes docs, "Labels and Selectors": NotIn holds for an object without the label too."""
    key, values = requirement.key, requirement.values or ()
    match requirement.operator:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
