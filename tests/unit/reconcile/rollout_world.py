"""A GrpcService with revisions, its reconciler, and a cluster that can end it at every write."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, cast

from grpc_operator import labels
from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import Attached, Built
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.owners import Owners
from grpc_operator.descriptor.model import Summary
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.descriptor_sources import DescriptorSources, Found
from grpc_operator.reconcile.grpc_service import GrpcServiceReconciler
from grpc_operator.reconcile.pod_inspection import PodInspection
from grpc_operator.reconcile.programmed import Outcome, Programmed
from grpc_operator.reconcile.report import Reporter
from grpc_operator.reconcile.rollouts import CallStatistics, Rollouts
from grpc_operator.reconcile.schema_gate import SchemaGate
from grpc_operator.resources import CHILDREN, GRPC_SERVICES, Manifest, gateway_key, service_key
from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.status.observed import ConditionResult
from grpc_operator.status.pod_reports import PodReports
from tests.unit.reconcile import users
from tests.unit.reconcile.fake_cluster import FakeCluster, Where

KEY = service_key("shop", "users")
START = 1_800_000_000.0

_CALM = 4
"""Steps without a write after which nothing more is due."""


class KilledError(BaseException):
    """The operator is gone: as with SIGKILL, nothing of it goes on."""


class CrashingCluster(FakeCluster):
    """A cluster whose operator is killed at a write.

    Attributes:
        kill_at: The number of the write, from 1; ``None`` for never.
        kill_before: Whether the write is not made any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kill_at: int | None = None
        self.kill_before = True
        self._dead = False
        self._count = 0

    def revive(self) -> None:
        """Lets another operator write."""
        self.kill_at, self._dead, self._count = None, False, 0

    async def apply(self, manifest: Manifest, *, manager: str = labels.FIELD_MANAGER) -> Manifest:
        """Applies a manifest."""
        self._begin()
        applied = await super().apply(manifest, manager=manager)
        self._end()
        return applied

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """Sets the status of the service."""
        self._begin()
        self.writes.append(f"status {manifest['kind']}/{manifest['metadata']['name']}")
        live = self.objects[manifest["kind"], manifest["metadata"]["name"]]
        changed = {**live, "status": manifest["status"]}
        applied = self.put(changed, live["metadata"])
        self._end()
        return applied

    async def delete(self, manifest: Manifest) -> None:
        """Deletes an object."""
        self._begin()
        await super().delete(manifest)
        self._end()

    async def create_event(self, event: Manifest, _: Callable[..., Manifest]) -> None:
        """Notes an Event."""
        self._begin()
        self.writes.append(f"event {event['reason']}")
        self._end()

    def renew(self, live: Manifest) -> None:
        """Gives an object a newer version."""
        self._version += 1
        live["metadata"]["resourceVersion"] = str(self._version)

    def put(self, manifest: Manifest, old: dict[str, Any]) -> Manifest:
        """Stores an object as somebody else writes it."""
        return self._store((manifest["kind"], manifest["metadata"]["name"]), manifest, old, [])

    def _store(
        self, where: Where, body: Manifest, old: dict[str, Any], entries: list[dict[str, Any]]
    ) -> Manifest:
        stored = super()._store(where, body, old, entries)
        if where[0] == "Deployment":  # its status is not about the newest spec
            generation = int(stored["metadata"]["resourceVersion"])
            self.objects[where]["metadata"]["generation"] = generation
            stored["metadata"]["generation"] = generation
        return stored

    def _begin(self) -> None:
        self._count += 1
        if self._dead or (self._count == self.kill_at and self.kill_before):
            self._dead = True
            raise KilledError

    def _end(self) -> None:
        if self._count == self.kill_at:
            self._dead = True
            raise KilledError


class _Descriptors:
    """Each revision has a descriptor."""

    async def find(self, *_: Any, **__: Any) -> Found:
        return Found(Pinned(b"", "Inline", "1"))

    def forget(self, *_: Any, **__: Any) -> None:
        """Has nothing to forget."""


class _NoCalls:
    """Nobody calls."""

    def of(self, _: Any, __: Any, clusters: Mapping[str, str]) -> dict[str, RevisionCalls]:
        return {name: RevisionCalls(in_flight=0) for name in clusters}

    def forget(self, _: Any) -> None:
        """Has nothing to forget."""


class _Gateway:
    """A control plane whose proxies apply at once what the status says, and the inspection."""

    def __init__(self) -> None:
        self.has_weights_ = True

    def state(self, _: Any) -> Built:
        return Built(Attached(1, gateway_key("shop", "default"), descriptor=Summary("", 1)))

    def gateway(self, _: Any) -> None:
        return None

    def latest_acceptance(self, _: Any) -> str:
        return ""

    async def has_weights(self, *_: Any) -> bool:
        return self.has_weights_

    async def check(self, *_: Any) -> Outcome:
        return Outcome(ConditionResult("True", Reason.PROGRAMMED, "served"))

    def reports(self, *_: Any) -> tuple[PodReports, None]:
        return PodReports(cast("Any", None)), None

    def forget(self, _: Any) -> None:
        """Has nothing to forget."""


class RolloutWorld:
    """The GrpcService ``users`` and everything around it.

    Attributes:
        ready: Whether pods become ready.
    """

    def __init__(self, **spec: Any) -> None:
        self.cluster = CrashingCluster()
        self.gateway = _Gateway()
        self.now = START
        self.ready = True
        self.edit(**spec)
        self.restart()

    def edit(self, *, command: str | None = None, **spec: Any) -> None:
        """Applies another spec, or another annotation, as kubectl does."""
        old = self.cluster.objects.get((GRPC_SERVICES.kind, "users"))
        generation = old["metadata"]["generation"] + 1 if old is not None else 1
        made = users(generation, **{"replicas": 4, **spec})
        made["spec"] = {key: each for key, each in made["spec"].items() if each is not None}
        made["metadata"]["annotations"] = {labels.ROLLOUT_COMMAND: command} if command else {}
        status = {"status": old["status"]} if old is not None and "status" in old else {}
        before = {"uid": made["metadata"]["uid"], "generation": generation}
        self.cluster.put({**made, **status}, before)

    def restart(self) -> None:
        """Starts another operator, which knows nothing."""
        self.cluster.revive()
        self.store = Store()
        cluster, gateway = cast("Cluster", self.cluster), self.gateway
        programmed = cast("Programmed", gateway)
        gate = SchemaGate(Calls(lambda _: None), DescriptorCache(self.store))
        self.reconciler = GrpcServiceReconciler(
            cluster,
            self.store,
            Owners(GrpcService, {"image": "x"}),
            (),
            "cluster.local",
            cast("DescriptorSources", _Descriptors()),
            programmed,
            cast("PodInspection", gateway),
            cast("ControlPlane", gateway),
            Rollouts(
                self.store,
                programmed,
                cast("CallStatistics", _NoCalls()),
                gate,
                lambda: self.now,
            ),
            "shop/operator",
        )
        reporter = Reporter(cluster, self.store, lambda: self.now, operator="shop/operator")
        self.reconciler._reporter = reporter  # noqa: SLF001 - with the clock of this world

    async def step(self, seconds: float = 1.0) -> float | None:
        """Lets time pass, pods become ready, and the operator reconcile once.

        Returns:
            Seconds until the next reconciliation even if nothing happens, or ``None``.
        """
        self.now += seconds
        self._run_pods()
        for resource in (GRPC_SERVICES, *CHILDREN):
            found = [
                deepcopy(live)
                for (kind, _), live in self.cluster.objects.items()
                if kind == resource.kind
            ]
            self.store.replace(resource, found, 10**6)
        return await self.reconciler.reconcile(KEY)

    async def settle(self, seconds: float = 5.0) -> list[str]:
        """Reconciles until nothing is written any more; returns what was written."""
        self.cluster.writes.clear()
        calm = 0
        for _ in range(100):
            before = len(self.cluster.writes)
            await self.step(seconds)
            calm = calm + 1 if len(self.cluster.writes) == before else 0
            if calm == _CALM:
                return [*self.cluster.writes]
        raise AssertionError(f"still writing: {self.cluster.writes[-20:]}")

    def _run_pods(self) -> None:
        for (kind, _), live in self.cluster.objects.items():
            if kind != "Deployment":
                continue
            wanted = live["spec"]["replicas"]
            ready = wanted if self.ready else live.get("status", {}).get("readyReplicas", 0)
            available = "True" if ready >= wanted else "False"
            status = {
                "observedGeneration": live["metadata"]["generation"],
                "replicas": wanted,
                "updatedReplicas": wanted,
                "readyReplicas": min(ready, wanted),
                "availableReplicas": min(ready, wanted),
                "conditions": [{"type": "Available", "status": available, "reason": "Pods"}],
            }
            if live.get("status") != status:
                live["status"] = status
                self.cluster.renew(live)

    @property
    def service(self) -> Manifest:
        """The GrpcService."""
        return self.cluster.objects[GRPC_SERVICES.kind, "users"]

    @property
    def status(self) -> dict[str, Any]:
        """Its status."""
        found: dict[str, Any] = self.service["status"]
        return found

    def condition(self, type_: str) -> dict[str, Any]:
        """Returns one of its conditions."""
        return next(each for each in self.status["conditions"] if each["type"] == type_)

    def autoscale(self, name: str, replicas: int) -> None:
        """Sets the replicas of a Deployment as an autoscaler does."""
        live = self.cluster.objects["Deployment", name]
        live["spec"]["replicas"] = replicas
        self.cluster.renew(live)

    def roles(self) -> dict[str, str]:
        """Returns the roles of its revisions by image."""
        return {each["image"]: each["role"] for each in self.status["revisions"]}

    def weights(self) -> dict[str, int]:
        """Returns the percentages by image."""
        found = self.status["revisions"]
        return {each["image"]: each["percent"] for each in found if each.get("percent")}

    def name_of(self, image: str) -> str:
        """Returns the revision of an image."""
        found: str = next(
            live["metadata"]["name"]
            for (kind, _), live in self.cluster.objects.items()
            if kind == "Deployment"
            and live["spec"]["template"]["spec"]["containers"][0]["image"] == image
        )
        return found

    def sizes(self) -> dict[str, int]:
        """Returns the replicas of every Deployment by its image."""
        return {
            live["spec"]["template"]["spec"]["containers"][0]["image"]: live["spec"]["replicas"]
            for (kind, _), live in self.cluster.objects.items()
            if kind == "Deployment"
        }

    def selected(self, service: str = "users-headless") -> str | None:
        """Returns the revision that a Service selects."""
        selector = self.cluster.objects["Service", service]["spec"]["selector"]
        found: str | None = selector.get(labels.REVISION)
        return found
