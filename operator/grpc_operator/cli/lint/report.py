"""What was found so far."""

from dataclasses import dataclass, field

from grpc_operator.cli.lint.finding import Finding


@dataclass
class Report:
    """What was found.

    Attributes:
        findings: In no order.
        unchecked: What was not checked and why, one sentence each.
    """

    findings: list[Finding] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def add(self, *findings: Finding) -> None:
        """Adds findings."""
        self.findings += findings
