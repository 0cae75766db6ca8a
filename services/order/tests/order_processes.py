"""Services as processes that are killed and started again."""

from collections.abc import Callable
from pathlib import Path

from grpc_service_kit.testing.processes import ServerProcess

Start = Callable[..., ServerProcess]


class Restartable:
    """A service that keeps its settings, and so its database, when it is started again."""

    def __init__(self, start: Start, database: Path, **variables: str) -> None:
        """Start it for the first time."""
        self._start = start
        self.database = database
        """Its SQLite file, unless it has a DATABASE_URL."""
        self._variables = {"DATABASE_PATH": str(database), **variables}
        self.process: ServerProcess
        """The process that runs now."""
        self.start()

    def start(self) -> None:
        """Start it again."""
        self.process = self._start(**self._variables)

    def kill(self) -> None:
        """Kill it at once."""
        self.process.process.kill()
        self.process.end()
