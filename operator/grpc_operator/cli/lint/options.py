"""Values of the options of ``grpcop lint``."""

from enum import StrEnum


class Form(StrEnum):
    """Values of ``--output``."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class FailOn(StrEnum):
    """Values of ``--fail-on``: the least severity that makes the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"
