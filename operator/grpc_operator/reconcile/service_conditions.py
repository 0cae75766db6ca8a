"""The conditions of a GrpcService that are about its gateway and its descriptor."""

from grpc_operator import limits
from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import Unresolved, generation_of
from grpc_operator.controlplane.revision_pods import of_revision
from grpc_operator.descriptor.model import Summary
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.reconcile.descriptor_sources import Found
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.resources import Manifest
from grpc_operator.rollout.decision import Decision
from grpc_operator.status import refused_rules
from grpc_operator.status.observed import ConditionResult


def invalid(run: Reconciliation) -> InvalidSpecError | None:
    """Returns what is wrong with the settings of the gateway in this generation."""
    built = run.built
    if built is None or generation_of(built) != run.service.metadata.generation:
        return None
    found = built.attached.invalid
    if not built.denied:
        return found
    denied = [Problem(_host_field(run.service, host), why) for host, why in built.denied]
    if found is None:
        return InvalidSpecError(denied, reason=Reason.HOSTNAME_NOT_GRANTED)
    return InvalidSpecError([*found.problems, *denied], reason=found.reason)


def partially_invalid(run: Reconciliation) -> ConditionResult | None:
    """Returns the condition PartiallyInvalid of what is served."""
    served = run.built.served if run.built is not None else None
    return refused_rules.condition(served.attachment) if served is not None else None


def _host_field(service: GrpcService, host: str) -> str:
    """Returns the field that requests a host."""
    hostnames = service.spec.gateway.hostnames if service.spec.gateway is not None else None
    index = f"[{hostnames.index(host)}]" if hostnames and host in hostnames else ""
    return f"spec.gateway.hostnames{index}"


def stable_pods(run: Reconciliation) -> list[Manifest]:
    """Returns the pods that are to serve: those of the stable revision, if there are several."""
    if not run.revisions.revisions:
        return run.pods
    return of_revision(run.pods, run.key.name, run.stable)


def rollout(decision: Decision | None) -> ConditionResult | None:
    """Returns why the latest revision does not serve all calls, if it does not."""
    if decision is None or decision.progress is None:
        return None
    waits = decision.progress
    return ConditionResult("False", waits.reason, waits.message, stalled=waits.stalled)


def resolved_refs(run: Reconciliation) -> ConditionResult | None:
    """Returns the condition ResolvedRefs of a service that asks for a gateway."""
    if run.service.spec.gateway is None or run.blocking.invalid is not None:
        return None
    if run.state is None:
        return ConditionResult(
            "Unknown", Reason.PROGRESSING, "The gateway has not been reconciled yet"
        )
    if isinstance(run.state, Unresolved):
        return run.state.refs
    if run.state.attached.refs is not None:
        return run.state.attached.refs
    used = run.state.attached.descriptor
    # With revisions, the weights say when the routes are those of a new one.
    return _found(run.found, None if run.revisions.revisions else used) or resolved(used)


def _found(found: Found | None, used: Summary | None) -> ConditionResult | None:
    """Returns why the descriptor in use is not the one that the source gives.

    Args:
        found: The one that the source gives.
        used: The one that the routes are made from; ``None`` if nothing is known of it.
    """
    if found is None or found.problem is not None:
        return found.problem if found is not None else None
    is_used = used is None or found.pinned is None or found.pinned.sha256 == used.sha256
    if is_used and not found.is_new:
        return None
    text = "The routes are not made from the new descriptor yet"
    return ConditionResult("Unknown", Reason.PROGRESSING, text)


def resolved(descriptor: Summary | None) -> ConditionResult:
    """Returns ``ResolvedRefs`` of a service whose gateway exists, by its descriptor if known."""
    if descriptor is None:
        return ConditionResult(
            "Unknown", Reason.PROGRESSING, "The descriptor has not been read yet"
        )
    size, most = descriptor.size, limits.DESCRIPTOR_BYTES.value
    if size * 10 >= most * 9:
        text = (
            f"The descriptor has {size} of at most {most} bytes; list fewer gRPC services in"
            " spec.services before it grows further"
        )
        return ConditionResult("True", Reason.DESCRIPTOR_NEAR_LIMIT, text)
    text = f"The gateway and the descriptor ({size} bytes) exist"
    return ConditionResult("True", Reason.RESOLVED_REFS, text)
