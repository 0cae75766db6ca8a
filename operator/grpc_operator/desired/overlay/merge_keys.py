"""Which lists of a manifest are merged item by item, and by which keys.

The ``x-kubernetes-list-map-keys`` of Kubernetes' OpenAPI for PodSpec, ServiceSpec and ObjectMeta.
Every other list is atomic: whoever writes it owns the whole of it.
"""

from collections.abc import Sequence
from typing import Any

_CONTAINER_PORTS = ("containerPort", "protocol")
_SERVICE_PORTS = ("port", "protocol")

_KEYS: dict[str, tuple[str, ...]] = {
    "claims": ("name",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "resourceClaims": ("name",),
    "schedulingGates": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
_DEFAULTS = {"protocol": "TCP"}

Identity = tuple[tuple[str, Any], ...]
"""The merge keys of an item with their values."""


def of(field: str, items: Sequence[Any]) -> tuple[str, ...]:
    """Returns the merge keys of the list in this field, or none when it is atomic."""
    if field != "ports":
        return _KEYS.get(field, ())
    containers = any(isinstance(item, dict) and "containerPort" in item for item in items)
    return _CONTAINER_PORTS if containers else _SERVICE_PORTS


def identity(item: Any, keys: tuple[str, ...]) -> Identity | None:
    """Returns the merge keys of an item, or None when it lacks one."""
    if not isinstance(item, dict):
        return None
    values = tuple((key, item.get(key, _DEFAULTS.get(key))) for key in keys)
    usable = all(isinstance(value, (str, int)) for _, value in values)
    return values if usable else None
