"""Entry point: ``python -m grpc_operator``."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from grpc_operator import __version__
from grpc_operator.app import logs
from grpc_operator.app.operator import Operator
from grpc_operator.errors import ClusterError, ConfigurationError, LeaseLostError
from grpc_operator.kube.connection import Connection, Kubeconfig
from grpc_operator.settings import Settings

logger = logging.getLogger("grpc_operator")

_BAD_CONFIGURATION = 2
_EPILOG = """\
All other settings are environment variables, which the chart sets:
https://github.com/grpc-operator/grpc-operator/blob/main/docs/settings.md

exit codes: 0 stopped by SIGTERM or SIGINT, 1 must be restarted, 2 wrong arguments or settings
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the operator; returns the exit code (2: wrong configuration, 1: must be restarted).

    Args:
        arguments: The command line without the program's name; ``sys.argv`` by default.

    Raises:
        SystemExit: By argparse: after --help and --version (0), or for wrong arguments (2).
    """
    given = _parser().parse_args(arguments)
    kubeconfig = None
    if given.kubeconfig or given.context:
        kubeconfig = Kubeconfig(given.kubeconfig, given.context)
    try:
        settings = Settings()
    except ValidationError as error:
        _explain(error)
        return _BAD_CONFIGURATION
    logs.configure(settings)
    try:
        asyncio.run(_run(settings, kubeconfig))
    except ConfigurationError as error:
        logger.error("%s", error)  # noqa: TRY400 - the message is enough
        return _BAD_CONFIGURATION
    except ClusterError as error:
        logger.error("%s", error)  # noqa: TRY400 - the same
    except LeaseLostError as error:
        logger.error("Exiting to be restarted: %s", error)  # noqa: TRY400 - the same
    except Exception:
        logger.exception("Exiting to be restarted")
    else:
        return 0
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grpc-operator",
        description="Runs GrpcServices and GrpcGateways. Without arguments, in a pod of the cluster"
        " that it is for, as the chart installs it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "--kubeconfig", metavar="FILE", help="run outside of the cluster, with this kubeconfig"
    )
    parser.add_argument(
        "--context",
        metavar="NAME",
        help="context of the kubeconfig ($KUBECONFIG or ~/.kube/config without --kubeconfig);"
        " the current one by default",
    )
    return parser


def _explain(error: ValidationError) -> None:
    for entry in error.errors():
        name = "_".join(str(part) for part in entry["loc"]).upper()
        if not name.startswith("POD_"):
            name = f"GRPC_OPERATOR_{name}"
        print(f"{name}: {entry['msg']} (got {entry['input']!r})", file=sys.stderr)  # noqa: T201 - logging is not set up yet


async def _run(settings: Settings, kubeconfig: Kubeconfig | None) -> None:
    connection = await Connection.open(kubeconfig)
    logs.quiet_outages(connection.availability)
    try:
        await Operator(settings, connection).run()
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
