"""The targets of ``export``, and what each gets and returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.losses import UNKNOWN, Coverage, Loss
from grpc_operator.cli.export.workload import Workload
from grpc_operator.cli.objects import Given
from grpc_operator.descriptor import Descriptor
from grpc_operator.resources import Manifest

TARGETS: Mapping[str, str] = {
    "kubernetes": "grpc_operator.cli.export.kubernetes",
    "gateway-api": "grpc_operator.cli.export.gateway_api.standard",
    "envoy-gateway": "grpc_operator.cli.export.gateway_api.envoy_gateway",
    "cloud-run": "grpc_operator.cli.export.cloud_run",
    "envoy": "grpc_operator.cli.export.envoy.target",
    "terraform-aws": "grpc_operator.cli.export.terraform.aws",
    "terraform-gcp": "grpc_operator.cli.export.terraform.gcp",
}
"""The module of each target. It has ``COVERAGE`` (``Coverage``), ``OPTIONS`` (the names of the
options that it takes) and ``export`` (``Inputs`` to ``Exported``). ``Exported.losses`` has what
depends on values; what ``COVERAGE`` knows is added to it here. ``GATEWAY_COVERAGE`` is
for GrpcGateways, which are not exported without it."""


@dataclass(frozen=True)
class ExportedService:
    """A GrpcService to export.

    Attributes:
        given: The object with its lines.
        workload: What it runs.
        descriptor: Its pruned descriptor; ``None`` if unknown.
    """

    given: Given[GrpcService]
    workload: Workload
    descriptor: Descriptor | None = None

    @property
    def object(self) -> GrpcService:
        """The object."""
        return self.given.object

    @property
    def about(self) -> str:
        """``GrpcService NAMESPACE/NAME``, for losses."""
        return f"GrpcService {self.workload.namespace}/{self.workload.name}"

    def loss(self, path: str, reason: str, fix: str) -> Loss:
        """Returns a loss of a field of it.

        Args:
            path: The field, such as ``spec.replicas``.
            reason: What the target cannot do.
            fix: What to do instead.
        """
        return Loss(self.about, path, reason, fix)


@dataclass(frozen=True)
class Inputs:
    """What a target gets.

    Attributes:
        services: The GrpcServices, at least one, in the order of the files.
        gateways: The GrpcGateways among the documents.
        options: Those that were given, by name.
    """

    services: Sequence[ExportedService]
    gateways: Sequence[Given[GrpcGateway]] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """What a target returns.

    Attributes:
        files: Texts by the name of the file, in the order in which they are printed.
        losses: What depends on values.
        coverage: In place of that of the target, where an option changes what gets lost.
        binaries: Files besides, by their path in the folder; they are not printed.
    """

    files: Mapping[str, str]
    losses: Sequence[Loss] = ()
    coverage: Coverage | None = None
    binaries: Mapping[str, bytes] = field(default_factory=dict)


def export(target: str, inputs: Inputs) -> Exported:
    """Exports services to a target.

    Raises:
        CliError: There is no such target or option, or the services cannot be exported to it.
    """
    module = import_module(_module(target))
    run: Callable[[Inputs], Exported] = module.export
    for name in sorted(inputs.options.keys() - set(module.OPTIONS)):
        raise CliError(f"--{name} is not an option of the target {target}")
    made = run(inputs)
    coverage: Coverage = made.coverage or module.COVERAGE
    losses = [
        *(
            loss
            for each in inputs.services
            for loss in coverage.losses(each.about, _given_fields(each.object))
        ),
        *_gateway_losses(inputs, getattr(module, "GATEWAY_COVERAGE", None)),
        *made.losses,
    ]
    return Exported(made.files, sorted(set(losses)), binaries=made.binaries)


def _gateway_losses(inputs: Inputs, coverage: Coverage | None) -> list[Loss]:
    found = []
    for each in inputs.gateways:
        metadata = each.object.metadata
        about = f"GrpcGateway {metadata.namespace}/{metadata.name}"
        if coverage is None:
            found.append(Loss(about, "spec", *UNKNOWN))
        else:
            found += coverage.losses(about, _given_fields(each.object))
    return found


def _module(target: str) -> str:
    if target not in TARGETS:
        raise CliError(
            f"{target!r} is not a target of export", fix=f"Use one of {', '.join(TARGETS)}."
        )
    return TARGETS[target]


def _given_fields(owner: GrpcService | GrpcGateway) -> Manifest:
    """Returns the fields of the spec that are set, as the object has them."""
    fields: dict[str, Any] = owner.spec.model_dump(
        by_alias=True, exclude_unset=True, exclude_none=True
    )
    return fields
