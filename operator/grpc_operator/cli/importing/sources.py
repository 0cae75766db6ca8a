"""Which kind of file each is, and what becomes of all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from grpc_operator.cli import manifests
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing import cloud_run, infera, knative, kubernetes
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.images import Images
from grpc_operator.cli.importing.report import Effect, Report
from grpc_operator.cli.importing.written import Written
from grpc_operator.cli.manifests import Document

MOST_BYTES = 8 << 20
"""Of one file."""


class Kind(StrEnum):
    """What a document is, as ``--from`` names it."""

    INFERA = "infera"
    KNATIVE = "knative"
    CLOUD_RUN = "cloud-run"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True)
class Options:
    """What users choose.

    Attributes:
        kind: What the files are; found out when unset.
        namespace: Namespace of all objects; that of the source when unset.
        images: Names of images, for sources without.
        proto_path: Folders that protos are relative to.
    """

    kind: Kind | None = None
    namespace: str | None = None
    images: Images = field(default_factory=Images)
    proto_path: Sequence[Path] = ()


@dataclass(frozen=True)
class Source:
    """A GrpcService with what it comes from.

    Attributes:
        kind: Of the source.
        documents: The source; the first one has the name.
        service: The GrpcService.
    """

    kind: Kind
    documents: list[Document]
    service: Written


@dataclass
class Imported:
    """The result of an import.

    Attributes:
        written: All objects, in the order of their sources.
        sources: The GrpcServices among them.
        report: What was lost or changed.
    """

    written: list[Written] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    report: Report = field(default_factory=Report)


def read(paths: Sequence[Path], options: Options) -> Imported:
    """Imports files.

    Raises:
        CliError: One cannot be read, is none of the kinds, or has nothing to import.
    """
    for path in paths:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            raise CliError(f"{path}: is larger than {MOST_BYTES >> 20} MiB")
    documents = manifests.read(paths)
    kinds = [_kind(each, options.kind) for each in documents]
    if not any(kinds):
        raise CliError(
            f"{', '.join(map(str, paths))}: nothing to import",
            fix="Give an infera.yaml, a Service of Knative or Cloud Run, or a Deployment with its"
            " Service.",
        )
    result = Imported()
    rest = _import(documents, kinds, options, result)
    services = [each.service for each in result.sources]
    result.written += kubernetes.allow_account(rest, services)
    if options.namespace:
        for each in result.written:
            each.data.setdefault("metadata", {})["namespace"] = options.namespace
    _check_unique(result)
    return result


def _kind(document: Document, wanted: Kind | None) -> Kind | None:
    """Returns the kind of a document; ``None`` for one that belongs to another, or is none."""
    if not isinstance(document.data, dict):
        raise CliError("must be a mapping", where=document.where())
    Fields(document, Report()).text("apiVersion")
    metadata = Fields(document, Report(), ("metadata",))
    for name in ("name", "namespace"):
        metadata.text(name)
    found = None
    if infera.matches(document):
        found = Kind.INFERA
    elif knative.matches(document):
        meant = wanted is Kind.CLOUD_RUN or (wanted is None and cloud_run.is_meant(document))
        found = Kind.CLOUD_RUN if meant else Kind.KNATIVE
    elif kubernetes.matches(document):
        found = Kind.KUBERNETES
    if wanted is not None and found not in (None, wanted):
        raise CliError(
            f"is of the kind {found}, not {wanted}",
            where=document.where(),
            fix=f"Use --from {found}, or leave --from out.",
        )
    return found


def _import(
    documents: list[Document], kinds: list[Kind | None], options: Options, result: Imported
) -> list[Document]:
    """Imports what has a kind; returns the documents that belong to none of them."""
    read_already: set[int] = set()
    for document, kind in zip(documents, kinds, strict=True):
        if kind is None:
            continue
        read_already.add(id(document))
        if kind is Kind.INFERA:
            written = infera.read(document, result.report, options.images, options.proto_path)
            result.written += written
            services = [each for each in written if each.kind == "GrpcService"]
            result.sources += [Source(kind, [document], each) for each in services]
            continue
        if kind is Kind.KUBERNETES:
            found = kubernetes.find(document, documents)
            for each in found.services:
                if id(each) in read_already:
                    why = "selects the pods of several Deployments; split calls with spec.traffic"
                    result.report.add(Effect.LOST, each, ("spec", "selector"), why)
            read_already.update(map(id, found.all))
            service, used = kubernetes.read(found, result.report), found.all
        else:
            service = knative.read(document, result.report, is_cloud_run=kind is Kind.CLOUD_RUN)
            used = [document]
        result.written.append(service)
        result.sources.append(Source(kind, used, service))
    return [each for each in documents if id(each) not in read_already]


def _check_unique(result: Imported) -> None:
    seen: dict[Any, Written] = {}
    for each in result.written:
        metadata = each.data.get("metadata")
        namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
        key = (each.data.get("apiVersion"), each.kind, namespace, each.name)
        if each.name and key in seen:
            raise CliError(
                f"the result has two {each.kind}s named {each.name}",
                fix="Import the files one by one, with another --namespace each.",
            )
        seen[key] = each
