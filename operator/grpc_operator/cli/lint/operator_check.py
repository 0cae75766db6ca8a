"""GS004 to GS009: what the operator refuses, found by the operator's own code."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from grpc_operator.api import GrpcGateway, GrpcService, Reason
from grpc_operator.cli.fields import location
from grpc_operator.cli.lint.codes import Severity
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.descriptor import Descriptor, DescriptorError
from grpc_operator.desired import service as desired_service
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import ir
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.listeners import gateway_ir

DOMAIN = "grpc.internal"
_CLUSTER_DOMAIN = "cluster.local"


def of_service(given: Given[GrpcService]) -> Iterator[Finding]:
    """Yields why the operator would not build the objects of a service."""
    service = given.object
    named = service.spec.service_account_name is not None
    yield from _checked(
        given.document, lambda: desired_service.build(service, account_is_allowed=named)
    )


def of_gateway(given: Given[GrpcGateway]) -> Iterator[Finding]:
    """Yields why the operator would not build the objects of a gateway."""
    from grpc_operator.cli.rendering import proxies
    from grpc_operator.desired import gateway as desired_gateway

    settings = proxies.settings()
    yield from _checked(given.document, lambda: desired_gateway.build(given.object, settings))
    yield from _checked(given.document, lambda: gateway_ir(given.object, _CLUSTER_DOMAIN))


def attached(
    given: Given[GrpcService], descriptor: Descriptor | None, domain: str
) -> tuple[ir.Attachment | None, list[Finding]]:
    """Returns what a service requests of its gateway, or why that is refused."""
    try:
        return attach(given.object, descriptor, domain), []
    except InvalidSpecError as error:
        return None, [problem(given.document, each, "GS005") for each in error.problems]


def refused_rules(given: Given[GrpcService], attachment: ir.Attachment) -> Iterator[Finding]:
    """Yields the REST rules that are not served."""
    for each in attachment.unmatched:
        yield Finding(place(given.document, each.field), "GS007", each.reason)
    for api in attachment.apis:
        for method in api.methods:
            for each in method.refused:
                where = place(given.document, each.field or "spec.gateway")
                message = f"{api.name}/{method.name}: {each.rule}: {each.reason}"
                yield Finding(where, "GS007", message)


def of_descriptor(given: Given[GrpcService], error: DescriptorError) -> Iterator[Finding]:
    """Yields what is wrong with the descriptor of a service."""
    for each in error.problems:
        yield problem(given.document, each, "GS006")


def duplicates(documents: Iterable[Document]) -> Iterator[Finding]:
    """Yields objects that have the kind, namespace and name of an earlier one."""
    seen: dict[tuple[str, ...], Document] = {}
    for each in documents:
        metadata = each.data.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not each.kind or not isinstance(name, str):
            continue
        group = str(each.data.get("apiVersion", "")).rpartition("/")[0]
        # Without a namespace, files of one folder are applied together.
        namespace = metadata.get("namespace") or f"{PurePath(each.file).parent}/"
        key = (group, each.kind, str(namespace), name)
        first = seen.setdefault(key, each)
        if first is not each:
            where = Place(each.file, each.line(("metadata", "name")), field="metadata.name")
            message = f"{each.kind} {name} is also at {first.where(('metadata', 'name'))}"
            yield Finding(where, "GS009", message, "Give each object a name of its own.")


def problem(
    document: Document, found: Problem, code: str, severity: Severity = Severity.UNSET
) -> Finding:
    """Returns what the operator says of an object as a finding."""
    return Finding(place(document, found.field), code, found.message, severity=severity)


def place(document: Document, field: str) -> Place:
    """Returns where a field of an object is, or what would contain it."""
    return Place(document.file, document.line(location(field, document.data)), field=field)


def _checked(document: Document, build: Callable[[], object]) -> Iterator[Finding]:
    try:
        build()
    except InvalidSpecError as error:
        # An administrator may allow it, so it works in some clusters.
        may_be_allowed = error.reason is Reason.POD_NOT_ALLOWED
        severity = Severity.WARNING if may_be_allowed else Severity.UNSET
        for each in error.problems:
            yield problem(document, each, "GS004", severity)
