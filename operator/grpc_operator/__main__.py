"""Entry point: ``python -m grpc_operator``."""

import asyncio
import logging
import sys

from pydantic import ValidationError

from grpc_operator.app import logs
from grpc_operator.app.operator import Operator
from grpc_operator.errors import ClusterError, LeaseLostError
from grpc_operator.kube.connection import Connection
from grpc_operator.settings import Settings

logger = logging.getLogger("grpc_operator")


def main() -> int:
    """Runs the operator; returns the exit code (2: invalid settings, 1: must be restarted)."""
    try:
        settings = Settings()
    except ValidationError as error:
        _explain(error)
        return 2
    logs.configure(settings)
    try:
        asyncio.run(_run(settings))
    except ClusterError as error:
        logger.error("%s", error)  # noqa: TRY400 - the message is enough
    except LeaseLostError as error:
        logger.error("Exiting to be restarted: %s", error)  # noqa: TRY400 - the same
    except Exception:
        logger.exception("Exiting to be restarted")
    else:
        return 0
    return 1


def _explain(error: ValidationError) -> None:
    for entry in error.errors():
        name = "_".join(str(part) for part in entry["loc"]).upper()
        if not name.startswith("POD_"):
            name = f"GRPC_OPERATOR_{name}"
        print(f"{name}: {entry['msg']} (got {entry['input']!r})", file=sys.stderr)  # noqa: T201 - logging is not set up yet


async def _run(settings: Settings) -> None:
    connection = await Connection.open()
    try:
        await Operator(settings, connection).run()
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
