"""Errors of the operator's packages as those of the command line."""

from grpc_operator.cli.errors import CliError
from grpc_operator.errors import ClusterError, ConfigurationError, InvalidSpecError


def known(error: Exception) -> CliError:
    """Returns an error that a user can act on.

    Raises:
        Exception: ``error`` itself: it is a defect, or not foreseen.
    """
    if isinstance(error, ConfigurationError | ClusterError | InvalidSpecError):
        return CliError(str(error))
    raise error
