"""From the field that an error names to keys and indices of the object."""

import re
from typing import Any

_STEP = re.compile(r"[.]?([^.\[\]]+)|\[([^\]]*)\]")

Location = tuple[str | int, ...]


def location(field: str, data: Any) -> Location:
    """Returns the way to a field, as far as the object has it.

    Args:
        field: Such as ``spec.env[0].name``, ``spec.containers[name=grpc].image`` or
            ``spec.gateway.methods[user.v1.UserService/GetUser].retry``.
        data: The object.
    """
    found: list[str | int] = []
    value = data
    for match in _STEP.finditer(field):
        step = _key(match[1], value) if match[1] else _index(match[2], value)
        if step is None:
            break
        found.append(step)
        value = value[step]
    return tuple(found)


def _key(name: str, value: Any) -> str | int | None:
    return name if isinstance(value, dict) and name in value else None


def _index(text: str, value: Any) -> str | int | None:
    if not isinstance(value, list):
        return _key(text, value)
    if text.isdigit():
        return int(text) if int(text) < len(value) else None
    if "=" in text:
        key, _, wanted = text.partition("=")
        wants = {key: wanted}
    else:
        service, _, method = text.partition("/")
        wants = {"service": service, "method": method}
    for index, item in enumerate(value):
        if isinstance(item, dict) and all(item.get(key) == each for key, each in wants.items()):
            return index
    return None
