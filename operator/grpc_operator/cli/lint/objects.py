"""GrpcServices and GrpcGateways among the given objects, and what is wrong with them."""

from collections.abc import Sequence
from pathlib import Path

from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.cli import descriptors
from grpc_operator.cli import objects as models
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.lint import conflicts, operator_check, references, schema_check
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.proto_files import ProtoSet
from grpc_operator.cli.lint.report import Report
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.descriptor import Descriptor, DescriptorError, load
from grpc_operator.gateway import ir

_KINDS = ("GrpcService", "GrpcGateway")


def check(
    documents: Sequence[Document],
    sets: Sequence[ProtoSet],
    descriptor: Path | None,
    proto_path: Sequence[Path],
    report: Report,
) -> None:
    """Reports what is wrong with the objects of our kinds.

    Args:
        documents: All objects.
        sets: The given .proto files.
        descriptor: Where the descriptors are instead of what the specs say.
        proto_path: Folders that imports are relative to.
        report: Gets the findings.
    """
    from grpc_operator.cli.lint import service_mistakes

    report.add(*operator_check.duplicates(documents))
    valid = []
    for document in documents:
        if _is_ours(document):
            found = list(schema_check.findings(document))
            report.add(*found)
            if not found:
                valid.append(document)
    services, gateways = models.services(valid), models.gateways(valid)
    for gateway in gateways:
        report.add(*operator_check.of_gateway(gateway))
    known = references.Known(documents)
    attached = []
    for service in services:
        report.add(*operator_check.of_service(service), *references.findings(service, known))
        read = _Descriptors(documents, sets, descriptor, proto_path, report).of(service)
        report.add(*service_mistakes.findings(service, read))
        attachment = _attach(service, read, gateways, report)
        if attachment is not None:
            attached.append((service, attachment))
    report.add(*conflicts.findings(attached, gateways))


def _is_ours(document: Document) -> bool:
    """Returns whether an object is of our API, or is meant to be."""
    is_current = document.data.get("apiVersion") == API_VERSION
    return document.kind in _KINDS and (is_current or bool(models.problem_of_version(document)))


def _attach(
    service: Given[GrpcService],
    descriptor: Descriptor | None,
    gateways: Sequence[Given[GrpcGateway]],
    report: Report,
) -> ir.Attachment | None:
    if service.object.spec.gateway is None:
        return None
    gateway = conflicts.gateway_of(service.object, gateways)
    domain = gateway.object.spec.domain if gateway else operator_check.DOMAIN
    attachment, found = operator_check.attached(service, descriptor, domain)
    report.add(*found)
    if attachment is not None:
        report.add(*operator_check.refused_rules(service, attachment))
    return attachment


class _Descriptors:
    """Where the descriptors of services are."""

    def __init__(
        self,
        documents: Sequence[Document],
        sets: Sequence[ProtoSet],
        path: Path | None,
        proto_path: Sequence[Path],
        report: Report,
    ) -> None:
        self._documents = documents
        self._sets = sets
        self._path = path
        self._proto_path = proto_path
        self._report = report

    def of(self, service: Given[GrpcService]) -> Descriptor | None:
        """Returns the descriptor of a service; ``None`` if it is not known, or unusable."""
        try:
            found = descriptors.of_service(service, self._documents, self._path, self._proto_path)
            return found if found is not None else self._among_protos(service)
        except DescriptorError as error:
            self._report.add(*operator_check.of_descriptor(service, error))
        except CliError as error:
            file, _, line = error.where.rpartition(":")
            where = operator_check.place(service.document, "spec.descriptor")
            if line.isdigit():
                where = Place(file, int(line))
            self._report.add(Finding(where, "GS006", error.message, error.fix))
        return None

    def _among_protos(self, service: Given[GrpcService]) -> Descriptor | None:
        """Returns it from the given .proto files, if they have the services that the spec names."""
        spec = service.object.spec
        probes = {each.health_service for each in spec.probes.by_name().values()}
        names = set(spec.services or filter(None, probes))
        for each in self._sets:
            if names and names <= each.services:
                rest = descriptors.offers_rest(service.object)
                return load(each.data, sorted(names), rest=rest)
        return None
