"""What ends a command: exit codes, and errors with the place and the fix."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command.

    Attributes:
        OK: Done, and nothing is wrong.
        FOUND: Done, and something is wrong: findings, differences, an unhealthy service.
        UNUSABLE: Not done: wrong arguments, input that cannot be read, no answer of the cluster.
    """

    OK = 0
    FOUND = 1
    UNUSABLE = 2


class CliError(Exception):
    """A command cannot do what it was asked for; it ends with ``ExitCode.UNUSABLE``.

    Attributes:
        message: What is wrong.
        fix: What to do about it; empty if the message says it.
        where: ``FILE:LINE``, a field or an object; empty if there is no such place.
    """

    def __init__(self, message: str, *, fix: str = "", where: str = "") -> None:
        self.message = message
        self.fix = fix
        self.where = where
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text}\n  {fix}" if fix else text)
