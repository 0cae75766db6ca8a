"""Which empty values say something: everywhere else, empty and absent are the same.

Empty values are not applied: server-side apply would own a field that the API server drops.
"""

from typing import Any

MEANINGFUL = frozenset(
    {"downwardAPI", "emptyDir", "labelSelector", "namespaceSelector", "projected"}
)
"""Fields in which ``{}`` says something other than leaving the field out: the kind of a volume, or
a selector that matches everything."""


def pruned(value: Any) -> Any:
    """Returns a fresh copy without null and without empty maps and lists that say nothing."""
    if isinstance(value, dict):
        children = {key: pruned(child) for key, child in value.items()}
        return {key: child for key, child in children.items() if _speaks(key, child)}
    if isinstance(value, list):
        return [pruned(item) for item in value]
    return value


def _speaks(field: str, value: Any) -> bool:
    return value not in (None, {}, []) or (value == {} and field in MEANINGFUL)
