"""What ``grpcop check`` prints: a line for each check, and below those that fail what to do."""

from collections.abc import Sequence

from grpc_operator import quotes
from grpc_operator.cli.check.model import Result, Status
from grpc_operator.cli.output import console

_STYLES = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.FAILED: "bold red",
    Status.SKIPPED: "dim",
}
_WIDTH = max(len(each) for each in Status)
_INDENT = " " * (_WIDTH + 4)


class Lines:
    """Prints results as they come, under the heading of their group."""

    def __init__(self) -> None:
        self._console = console()
        self._group = ""

    def show(self, result: Result) -> None:
        """Prints one."""
        from rich.text import Text

        verdict = result.verdict
        if result.check.group != self._group:
            self._console.print(Text(f"{'' if not self._group else chr(10)}{result.check.group}"))
            self._group = result.check.group
        line = Text("  ")
        line.append(f"{verdict.status.value:<{_WIDTH}}", _STYLES[verdict.status])
        line.append(f"  {result.check.name}: {_one_line(verdict.message)}")
        self._console.print(line)
        if verdict.hint:
            self._console.print(Text(f"{_INDENT}{_one_line(verdict.hint)}"))

    def end(self, results: Sequence[Result]) -> None:
        """Prints the sum."""
        from rich.text import Text

        counts = {
            status: sum(each.verdict.status is status for each in results) for status in Status
        }
        text = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
        self._console.print(Text(f"\n{text}"))


def _one_line(text: str) -> str:
    return " ".join(quotes.printable(text).split())
