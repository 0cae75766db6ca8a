"""README.md lists every variable that a server reads and every public name, and no other."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from grpc_service_kit import Environment, ServerConfig

README = Path(__file__).resolve().parents[1] / "README.md"


class Names(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        """Have nothing."""
        self.asked.add(key)
        return default


def test_the_settings_are_those_that_are_read() -> None:
    names = Names()
    ServerConfig.read(Environment(names))
    settings = README.read_text().split("## Settings")[1].split("##")[0]
    rows = [row.split("|")[1] for row in settings.splitlines() if row.startswith("| `")]
    listed = {name for row in rows for name in re.findall("`([A-Z_]+)`", row)}

    own = {name for name in names.asked if not name.startswith("OTEL_")}
    assert own == {name for name in listed if not name.startswith("OTEL_")}
    assert {name for name in listed if name.startswith("OTEL_")} <= names.asked


@pytest.mark.parametrize("module", ["", ".background", ".client", ".context", ".errors", ".sql"])
def test_the_public_names_are_those_of_the_modules(module: str) -> None:
    """Each module says what it offers, and the table has a row or more for it."""
    table = README.read_text().split("## Names")[1].split("##")[0]
    rows = [row.split(" | ")[:2] for row in table.splitlines() if row.startswith("| ")]
    listed, current = set(), ""
    for place, names in rows:
        current = (re.findall("`(.+?)`", place) or [current])[0]
        if current == f"grpc_service_kit{module}":
            listed |= set(re.findall(r"`([A-Za-z_]+)", names))

    names = import_module(f"grpc_service_kit{module}").__all__
    if not module:  # The row of a server names what it has.
        listed -= {
            "start",
            "serve",
            "serve_until",
            "drain",
            "stop",
            "port",
            "metrics_port",
            "health",
        }
        listed -= {"check"}
    assert listed == set(names)
