"""What one reconciliation knows of a GrpcService beside its spec and status."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grpc_operator.rollout.calls import RevisionCalls


@dataclass(frozen=True)
class Workload:
    """The live Deployment of a revision.

    Attributes:
        desired: ``spec.replicas``.
        ready: ``status.readyReplicas``.
        updated: ``status.updatedReplicas``: pods of its current template.
        is_observed: Whether its status is about its latest spec (``observedGeneration``).
        is_late: Whether it reports ProgressDeadlineExceeded.
        problem: Why pods are not ready, in words; empty when nothing is known.
        image: Image of the gRPC container.
        descriptor_sha256: Digest of the FileDescriptorSet of the revision.
    """

    desired: int
    ready: int = 0
    updated: int = 0
    is_observed: bool = True
    is_late: bool = False
    problem: str = ""
    image: str | None = None
    descriptor_sha256: str | None = None

    @property
    def usable(self) -> int:
        """The number of pods that are known to be ready and to run the current template."""
        return min(self.ready, self.updated) if self.is_observed else 0


@dataclass(frozen=True)
class Method:
    """A method that the gateway serves.

    Attributes:
        service: Full name of its gRPC service.
        is_unary: Whether neither side streams; the latency of all others says nothing.
    """

    service: str
    name: str
    is_unary: bool


@dataclass(frozen=True)
class Facts:
    """What one reconciliation knows.

    Attributes:
        service: Name of the GrpcService, and of the revision that exists without ``spec.rollout``.
        latest: Name of the revision of the current pod template; its Deployment need not exist.
        replicas: Pods that the stable revision should have: ``spec.replicas``, or what the
            autoscaler has set.
        workloads: The Deployments of the service, by revision.
        selected: The revision that ``NAME-headless`` selects, for a status that was lost.
        has_gateway: Whether ``spec.gateway`` is set; without it there are no weights.
        weights_acknowledged: Whether every ready proxy has exactly the percentages of the state,
            as it was when the reconciliation began.
        calls: Totals of each revision, which never decrease; empty while nothing is known.
        methods: The methods that the gateway serves.
        command: The annotation ``grpc.infera.dev/rollout``.
        schema_ok: Whether the schema of the latest revision breaks nobody, or need not be checked;
            ``None`` while it is not known.
    """

    service: str
    latest: str
    replicas: int
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    selected: str | None = None
    has_gateway: bool = True
    weights_acknowledged: bool = False
    calls: Mapping[str, RevisionCalls] = field(default_factory=dict)
    methods: tuple[Method, ...] = ()
    command: str | None = None
    schema_ok: bool | None = True

    def breaks(self, revision: str) -> bool | None:
        """Returns whether a revision breaks callers; ``None`` while it is not known."""
        if revision != self.latest or self.schema_ok is True:
            return False
        return None if self.schema_ok is None else True

    def usable(self, revision: str) -> int:
        """Returns the number of pods of a revision that are ready and run its template."""
        workload = self.workloads.get(revision)
        return workload.usable if workload is not None else 0

    def ready(self, revision: str) -> int:
        """Returns the number of ready pods of a revision."""
        workload = self.workloads.get(revision)
        return workload.ready if workload is not None else 0

    def desired(self, revision: str) -> int:
        """Returns the number of pods that the Deployment of a revision has been given."""
        workload = self.workloads.get(revision)
        return workload.desired if workload is not None else 0

    def in_flight(self, revision: str) -> int | None:
        """Returns the calls of a revision that have not ended; ``None`` while unknown."""
        calls = self.calls.get(revision)
        return calls.in_flight if calls is not None else None
