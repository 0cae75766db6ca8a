"""The user's overlay on a pod template: ``spec.podTemplate``.

Merged as a strategic merge patch is: maps key by key, lists that have merge keys item by item (see
``merge_keys``), other lists replaced. Two things differ from ``kubectl patch``: ``$patch`` and null
do not delete but are refused, and a volume of the same name is replaced as a whole, because two
volume sources in one volume are never valid. A container that an overlay adds gets what the
restricted Pod Security Standard requires of it, unless it says otherwise.
"""

from copy import deepcopy
from typing import Any

from grpc_operator.api.workload import PodTemplate
from grpc_operator.desired.common.workload import added_container_security_context
from grpc_operator.desired.overlay import merge_keys, rules, shape
from grpc_operator.errors import Problem
from grpc_operator.resources import Manifest


def problems(overlay: PodTemplate | None, owned: rules.Owned) -> list[Problem]:
    """Returns everything that is wrong with an overlay on what the operator answers for."""
    if overlay is None:
        return []
    pod = overlay.spec or {}
    oversized = shape.limit_problems(pod)
    if oversized:
        return oversized
    return [*shape.problems(pod), *rules.problems(owned, overlay)]


def merged(template: Manifest, overlay: PodTemplate | None) -> Manifest:
    """Returns the pod template with the overlay, which has no ``problems``, merged in."""
    if overlay is None:
        return template
    result: Manifest = _merged(template, overlay.wire(), "")
    built = {container["name"] for container in template["spec"]["containers"]}
    for field in shape.CONTAINER_LISTS:
        for _, container in shape.objects(result["spec"].get(field)):
            if container.get("name") not in built:
                given = container.get("securityContext", {})
                default = added_container_security_context()
                container["securityContext"] = _merged(default, given, "")
    return result


def _merged(base: Any, patch: Any, field: str) -> Any:
    if isinstance(base, dict) and isinstance(patch, dict):
        added = {key: deepcopy(patch[key]) for key in patch if key not in base}
        kept = {
            key: _merged(value, patch[key], key) if key in patch else value
            for key, value in base.items()
        }
        return {**kept, **added}
    if isinstance(base, list) and isinstance(patch, list):
        keys = merge_keys.of(field, base)
        return _merged_items(base, patch, field) if keys else deepcopy(patch)
    return deepcopy(patch)


def _merged_items(base: list[Any], patch: list[Any], field: str) -> list[Any]:
    keys = merge_keys.of(field, base)
    patches = {merge_keys.identity(item, keys): item for item in patch}
    out = []
    for item in base:
        change = patches.pop(merge_keys.identity(item, keys), None)
        if change is None:
            out.append(item)
        else:
            out.append(deepcopy(change) if field == "volumes" else _merged(item, change, ""))
    return [*out, *deepcopy(list(patches.values()))]
