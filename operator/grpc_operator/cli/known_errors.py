"""Errors of the operator's packages as those of the command line."""

import re
import shlex

from grpc_operator import quotes
from grpc_operator.cli.errors import CliError
from grpc_operator.errors import (
    ClusterError,
    ConfigurationError,
    ForbiddenError,
    InvalidSpecError,
    NotFoundError,
)

_UNAUTHORIZED = 401
_OUR_API = "/apis/grpc.infera.dev/"

_DENIED = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)"'
    r' in API group "(?P<group>[^"]*)"(?: in the namespace "(?P<namespace>[^"]*)")?'
)
"""How the API server says what RBAC does not allow (k8s.io/apiserver,
``responsewriters.forbiddenMessage``)."""


def known(error: Exception) -> CliError:
    """Returns an error that a user can act on.

    Raises:
        Exception: ``error`` itself: it is a defect, or not foreseen.
    """
    if isinstance(error, CliError):
        return error
    if isinstance(error, ConfigurationError):
        return CliError(
            quotes.printable(str(error)),
            fix="Name a file with --kubeconfig or KUBECONFIG, and one of its contexts with"
            " --context.",
        )
    if isinstance(error, ClusterError):
        return CliError(quotes.printable(str(error)), fix=_fix(error))
    if isinstance(error, InvalidSpecError):
        return CliError(str(error))
    raise error


def _fix(error: ClusterError) -> str:
    if isinstance(error, ForbiddenError):
        return _right(error.words)
    if isinstance(error, NotFoundError) and _OUR_API in str(error):
        if '" not found' in error.words:  # one object, or a namespace
            return ""
        return (
            "The cluster does not have the CRDs of grpc-operator. Install the operator with its"
            " Helm chart, or choose another cluster with --context."
        )
    if error.status == _UNAUTHORIZED:
        return "The cluster does not accept the credentials of the context; log in again."
    if error.status == 0:
        return (
            "Check that the API server of the context is reachable: kubectl cluster-info; choose"
            " another one with --context."
        )
    return ""


def _right(words: str) -> str:
    """Returns the command by which an administrator gives the right that is missing."""
    found = _DENIED.search(words)
    if found is None:
        return ""
    resource = ".".join(
        each for each in (found["resource"].partition("/")[0], found["group"]) if each
    )
    sub = found["resource"].partition("/")[2]
    of_cluster = found["namespace"] is None
    where = "" if of_cluster else f" --namespace={shlex.quote(found['namespace'])}"
    kind = "clusterrole" if of_cluster else "role"
    what = shlex.quote(f"{resource}/{sub}" if sub else resource)
    role = f"kubectl create {kind} grpcop --verb={found['verb']} --resource={what}{where}"
    binding = (
        f"kubectl create {kind}binding grpcop --{kind}=grpcop"
        f" --user={shlex.quote(quotes.printable(found['user']))}{where}"
    )
    return f"An administrator may allow it: {role} && {binding}"
