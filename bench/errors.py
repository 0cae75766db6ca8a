"""What ends a run."""


class BenchError(Exception):
    """A benchmark cannot go on; the message says why."""
