"""The environment variables of a container -> ``spec.env``."""

from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect


def read(container: Fields) -> list[dict[str, Any]]:
    """Returns the variables. Of several with one name, the last counts, as in Kubernetes.

    Raises:
        CliError: A name or value is not a string.
    """
    found: dict[str, dict[str, Any]] = {}
    for variable in container.items("env"):
        name = variable.text("name")
        if not name:
            variable.refuse("name", "must be set")
        value, source = variable.text("value"), variable.take("valueFrom")
        if name in found:
            del found[name]
            variable.say(Effect.CHANGED, f"{name} is set twice; the last value is kept")
        found[name] = {"name": name} | {
            key: each for key, each in (("value", value), ("valueFrom", source)) if each is not None
        }
    return list(found.values())
