"""Whether the cluster can be reached, and is one that grpc-operator runs on."""

import re

from grpc_operator.cli.check.model import Check, Known, Verdict, failed, ok
from grpc_operator.cli.connection import cluster

_GROUP = "API server"
_OLDEST = (1, 30)
"""``kubeVersion`` of the chart."""


async def _kubeconfig(known: Known) -> Verdict:
    opened = cluster(known.kubeconfig, known.namespace)
    known.cluster = await known.stack.enter_async_context(opened)
    server = (await known.cluster.connection.credentials())["server"]
    return ok(f"{server}, namespace {known.cluster.namespace}")


async def _answers(known: Known) -> Verdict:
    version = await known.cluster.connection.send("GET", "/version")
    return ok(f"answers: Kubernetes {version.get('gitVersion', 'of unknown version')}")


async def _version(known: Known) -> Verdict:
    text = str((await known.cluster.connection.send("GET", "/version")).get("gitVersion"))
    found = re.match(r"v?(\d+)\.(\d+)", text)
    oldest = ".".join(map(str, _OLDEST))
    if found is None:
        return failed(f"{text!r} is not a version of Kubernetes", "kubectl version")
    if (int(found[1]), int(found[2])) < _OLDEST:
        return failed(
            f"Kubernetes {text} is older than {oldest}",
            f"Upgrade the cluster to {oldest} or newer, and check again: kubectl version",
        )
    return ok(f"{text} is not older than {oldest}")


CHECKS = (
    Check("kubeconfig", _GROUP, _kubeconfig),
    Check("api-server", _GROUP, _answers, after=("kubeconfig",)),
    Check("kubernetes-version", _GROUP, _version, after=("api-server",)),
)
