"""Pages about grpcop."""

from grpc_operator.cli.main import COMMANDS
from tests.docs.pages import ROOT


def test_every_command_has_a_page_and_every_page_a_command() -> None:
    """A command that is removed takes its page along."""
    pages = {path.stem for path in (ROOT / "docs/grpcop").glob("*.md")} - {"README"}

    assert pages == {name for names in COMMANDS.values() for name in names}
