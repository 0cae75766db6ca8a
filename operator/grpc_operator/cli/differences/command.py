"""Runs ``diff``."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc_operator import quotes
from grpc_operator.api import GrpcService
from grpc_operator.cli import connection, manifests, objects, output
from grpc_operator.cli.differences.objects import Change, changes
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.cli.output import Column, Format, Table
from grpc_operator.cli.rendering import kubernetes
from grpc_operator.cli.rendering.command import Request, rendered_objects
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.resources import GRPC_SERVICES, Manifest


@dataclass(frozen=True)
class Live:
    """The cluster to compare files with.

    Attributes:
        kubeconfig: How to reach it.
        namespace: That of objects which name none; that of the context when ``None``.
    """

    kubeconfig: Kubeconfig
    namespace: str | None


def of_files(old: Path, new: Path, namespace: str) -> list[Change]:
    """Returns what differs between the objects of two files or folders.

    Raises:
        CliError: One cannot be read, or has an object that the operator refuses.
    """
    before = rendered_objects(Request((old,), namespace=namespace))
    return changes(before, rendered_objects(Request((new,), namespace=namespace)))


def of_cluster(paths: Sequence[Path], live: Live) -> list[Change]:
    """Returns what applying GrpcServices would change.

    Both sides are what the operator builds, of the object in the cluster and of that in the file:
    what others have changed in the built objects does not count.

    Raises:
        CliError: A file or the cluster cannot be read, or the operator refuses an object.
    """
    return asyncio.run(_of_cluster(paths, live))


def report(found: Sequence[Change], form: Format | None) -> ExitCode:
    """Prints changes; unified diffs without a form."""
    if form is None:
        for each in found:
            for line in each.lines:
                output.write_text(quotes.printable(line))
        _summarize(found)
    else:
        rows = [(each.verb, each.name, "yes" if each.replaces_pods else "") for each in found]
        table = Table(
            (Column("CHANGE"), Column("OBJECT"), Column("REPLACES PODS")), rows, "No difference."
        )
        output.write(form, table, [_item(each) for each in found], [each.name for each in found])
    return ExitCode.FOUND if found else ExitCode.OK


async def _of_cluster(paths: Sequence[Path], live: Live) -> list[Change]:
    async with connection.cluster(live.kubeconfig, live.namespace) as cluster:
        documents = manifests.read(paths)
        given = objects.services(documents, cluster.namespace)
        if not given:
            raise CliError(f"{', '.join(map(str, paths))}: no GrpcService")
        found: list[Change] = []
        for each in given:
            metadata = each.object.metadata
            stored = await cluster.get(GRPC_SERVICES, metadata.namespace, metadata.name)
            found += changes(_built(stored), _replacing(each, stored, documents))
        return found


def _built(stored: Manifest | None) -> list[Manifest]:
    if stored is None:
        return []
    (document,) = manifests.of_text(output.yaml_text([stored]), "the object in the cluster")
    (given,) = objects.services([document])
    return kubernetes.of_service(given)


def _replacing(
    given: Given[GrpcService], stored: Manifest | None, documents: Iterable[Document]
) -> list[Manifest]:
    """Returns what is built of a file's object, once it has the identity of the stored one."""
    service = given.object
    if stored is not None:
        metadata = service.metadata.model_copy(update={"uid": stored["metadata"]["uid"]})
        service = service.model_copy(update={"metadata": metadata})
    return kubernetes.of_service(Given(given.document, service), documents)


def _summarize(found: Sequence[Change]) -> None:
    if not found:
        output.note("No difference.")
    for each in found:
        if each.replaces_pods:
            output.note(f"{each.name}: its pods are replaced.")


def _item(change: Change) -> dict[str, Any]:
    kind, namespace, name = change.identity
    return {
        "change": change.verb,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "replacesPods": change.replaces_pods,
        "diff": "\n".join(change.lines),
    }
