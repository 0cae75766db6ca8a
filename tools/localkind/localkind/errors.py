"""The errors that localkind shows to people."""


class LocalKindError(Exception):
    """Something a person can act on; its text is shown as it is, without a traceback."""


class CommandError(LocalKindError):
    """A program that localkind ran has failed; `output` is what it printed."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output
