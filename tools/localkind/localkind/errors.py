"""The errors that localkind shows to its users."""


class LocalKindError(Exception):
    """An error that the user can act on; its text is shown unchanged, without a traceback."""


class CommandError(LocalKindError):
    """A program that localkind ran has failed; `output` is what it printed."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output
