"""README.md lists every variable that a server reads, and no other."""

import re
from pathlib import Path

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
