"""How tests start the user service as a process of its own: `python -m user_service`."""

import sys
from pathlib import Path

from grpc_service_kit.testing import processes

COMMAND = (sys.executable, "-m", "user_service")


def environment(database: Path, port: int = 0) -> dict[str, str]:
    """Returns its environment: a database file, and a port (0: any free one, which it logs)."""
    return processes.environment(
        PORT=str(port),
        METRICS_PORT="off",
        DATABASE_PATH=str(database),
        LAME_DUCK_SECONDS="0",
        GRPC_DRAIN_SECONDS="1",
    )
