"""What the operator builds has no empty values: server-side apply would own them.

What users write is left as it is: an empty value can mean something (``emptyDir: {}``), and the API
server knows which.
"""

from typing import Any


def pruned(value: Any) -> Any:
    """Returns a fresh copy without null and without empty maps and lists in maps."""
    if isinstance(value, dict):
        children = {key: pruned(child) for key, child in value.items()}
        return {key: child for key, child in children.items() if child not in (None, {}, [])}
    return [pruned(item) for item in value] if isinstance(value, list) else value
