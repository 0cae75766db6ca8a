"""Whether what an import writes would be accepted by the API server and by the operator."""

from collections.abc import Sequence
from dataclasses import dataclass

from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
from grpc_operator.cli import descriptors, objects, schema
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.report import Effect, Report
from grpc_operator.cli.importing.written import Written
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import Given
from grpc_operator.desired.pod_policy.rules import RULES
from grpc_operator.desired.service import build
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Manifest

_CHART_VALUE = "podPolicy.services.allow"
_DOMAIN = "grpc.internal"


@dataclass(frozen=True)
class Accepted:
    """A GrpcService that the operator takes.

    Attributes:
        service: The object.
        objects: What the operator makes of it.
        attachment: What it requests of its gateway; ``None`` without ``spec.gateway``.
    """

    service: GrpcService
    objects: list[Manifest]
    attachment: Attachment | None


def accepted(
    written: Written, results: Sequence[Document], source: Document, report: Report
) -> Accepted:
    """Checks a GrpcService as the API server and the operator would.

    What only an administrator can allow is reported.

    Args:
        written: The GrpcService.
        results: All objects that are written, of which one may be its descriptor.
        source: What it comes from, for messages.
        report: Gets what the administrator must allow.

    Raises:
        CliError: It would be refused. Names every field.
    """
    (result,) = [
        each
        for each in results
        if each.kind == "GrpcService" and each.data["metadata"] == written.data["metadata"]
    ]
    given = _parsed(result, source)
    service = given.object
    named = service.spec.service_account_name is not None
    try:
        manifests = build(service, pods_may=[Allowance.ALL], account_is_allowed=named)
        attachment = None
        if service.spec.gateway is not None:
            descriptor = descriptors.of_service(given, results)
            attachment = attach(service, descriptor, _DOMAIN)
    except InvalidSpecError as error:
        raise CliError(str(error), where=source.where()) from error
    for allowance in _needed(service, named=named):
        report.add(
            Effect.CHANGED,
            source,
            (),
            f"the administrator of the cluster must add {allowance} to the chart value"
            f" {_CHART_VALUE}",
        )
    return Accepted(service, manifests, attachment)


def _parsed(result: Document, source: Document) -> Given[GrpcService]:
    problems = schema.problems(result)
    if problems:
        first, *others = problems
        more = f" (and {len(others)} more)" if others else ""
        raise CliError(
            f"{first.field}: {first.message}{more}",
            where=source.where(),
            fix=first.fix or "Correct what this field of the GrpcService comes from.",
        )
    (given,) = objects.services([result])
    return given


def _needed(service: GrpcService, *, named: bool) -> list[Allowance]:
    """Returns what the pods ask for beyond the restricted Pod Security Standard."""
    try:
        build(service, account_is_allowed=named)
    except InvalidSpecError:
        pass
    else:
        return []
    found = []
    every = {rule.allowance for rule in RULES}
    for allowance in sorted(every):
        try:
            build(service, pods_may=every - {allowance}, account_is_allowed=named)
        except InvalidSpecError:
            found.append(allowance)
    return found
