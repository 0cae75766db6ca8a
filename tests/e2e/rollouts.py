"""Rollouts as a person with kubectl sees them, and what the proxies count of each revision."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import urllib3
import yaml

from tests.e2e.cluster import Cluster
from tests.e2e.forward import port_forward
from tests.e2e.release import GATEWAY, SYSTEM
from tests.waiting import HANG, wait_until

COMMAND = "grpc.infera.dev/rollout"
_STATS_PORT = 19003
_QUIET = 5.0
"""Seconds without a call after which a revision gets none."""

_CALLS = re.compile(
    r"^envoy_grpc_calls_total\{(?=[^}]*cluster_name=\"([^\"]+)\")[^}]*\} (\d+)$", re.MULTILINE
)
"""A counter of a method of a cluster."""


class Rollout:
    """The revisions of a GrpcService in the namespace ``default``.

    Args:
        cluster: The cluster.
        name: Name of the GrpcService.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self._cluster = cluster

    def patch(self, spec: dict[str, Any]) -> None:
        """Changes fields of the spec."""
        patch = json.dumps({"spec": spec})
        self._cluster.kubectl("patch", "gsvc", self.name, "--type=merge", "--patch", patch)

    def command(self, verb: str, revision: str) -> None:
        """Sets the annotation as a person does."""
        text = f"{COMMAND}={verb} {revision}"
        self._cluster.kubectl("annotate", "--overwrite", "gsvc", self.name, text)

    @property
    def status(self) -> dict[str, Any]:
        """The whole status."""
        found: dict[str, Any] = self._cluster.get("gsvc", self.name).get("status", {})
        return found

    def state(self) -> dict[str, Any]:
        """Returns ``status.rollout``, empty before the first one."""
        return dict(self.status.get("rollout") or {})

    def revisions(self) -> dict[str, dict[str, Any]]:
        """Returns ``status.revisions`` by name."""
        return {each["name"]: each for each in self.status.get("revisions") or ()}

    def named(self, role: str) -> list[str]:
        """Returns the names of the revisions with a role."""
        return [name for name, each in self.revisions().items() if each["role"] == role]

    @property
    def stable(self) -> str:
        """Name of the stable revision."""
        (name,) = self.named("Stable")
        return name

    def wait_candidate(self, *but: str, seconds: float = 90) -> str:
        """Waits for a candidate that is none of some revisions, and returns its name."""

        def other() -> str:
            return next((name for name in self.named("Candidate") if name not in but), "")

        return wait_until(other, f"{self.name} has a candidate", seconds=seconds, every=0.3)

    def wait_percent(self, revision: str, seconds: float = 90) -> None:
        """Waits until a revision gets calls by its weight."""
        wait_until(
            lambda: self.revisions().get(revision, {}).get("percent"),
            f"{revision} gets calls",
            seconds=seconds,
            every=0.3,
        )

    def wait_phase(self, *phases: str, seconds: float = 120) -> dict[str, Any]:
        """Waits for one of some phases, and returns ``status.rollout``."""

        def reached() -> dict[str, Any] | None:
            state = self.state()
            assert state.get("phase") in phases, self.status.get("rollout")
            return state

        return wait_until(reached, f"{self.name} is {phases}", seconds=seconds, every=0.3)

    def wait_stable(self, revision: str, seconds: float = 120) -> None:
        """Waits until a revision serves, and its rollout is complete."""

        def serves() -> bool:
            assert self.named("Stable") == [revision], self.status.get("rollout")
            return self.state().get("phase") == "Completed"

        wait_until(serves, f"{revision} is stable", seconds=seconds, every=0.3)

    def wait_undone(self, revision: str) -> str:
        """Waits until another revision than this one serves, and returns its name."""

        def other() -> str:
            return next((name for name in self.named("Stable") if name != revision), "")

        return wait_until(other, f"{revision} is undone", every=0.3)

    def events(self, reason: str) -> list[str]:
        """Returns the messages of its Events with a reason, the oldest first."""
        fields = f"reason={reason},involvedObject.name={self.name}"
        found = self._cluster.get("events", "--field-selector", fields)["items"]
        ordered = sorted(found, key=lambda each: str(each["metadata"]["creationTimestamp"]))
        return [str(each["message"]) for each in ordered]

    def shown(self) -> str:
        """Returns what `kubectl get` and `kubectl describe` show."""
        get = self._cluster.kubectl("get", "gsvc", self.name)
        return get + self._cluster.kubectl("describe", "gsvc", self.name)


class Reapplied:
    """Applies a manifest every 10 s, as a GitOps tool does, and notes each difference.

    It applies by `kubectl apply` and by server-side apply of another manager by turns.

    Args:
        cluster: The cluster.
        manifest: What to apply at first.
        seconds: Time between two applies.
    """

    def __init__(self, cluster: Cluster, manifest: dict[str, Any], seconds: float = 10) -> None:
        self.differences: list[str] = []
        self.applied = 0
        self._cluster = cluster
        self._manifest = manifest
        self._seconds = seconds
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.apply(self._manifest)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def apply(self, manifest: dict[str, Any]) -> None:
        """Applies another manifest, and goes on with that one."""
        with self._lock:
            self._manifest = manifest
            self._cluster.apply(manifest)

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            with self._lock:
                self._again()

    def _again(self) -> None:
        text, generation = json.dumps(self._manifest), self._generation()
        server_side = ("--server-side", "--field-manager=gitops") if self.applied % 2 else ()
        # `kubectl diff` ends with 1 when there is a difference, which fails like any error.
        try:
            self._cluster.kubectl("diff", *server_side, "-f", "-", stdin=text)
            self._cluster.kubectl("apply", *server_side, "-f", "-", stdin=text)
        except AssertionError as error:
            self.differences.append(str(error))
        if self._generation() != generation:
            self.differences.append(f"generation {generation} -> {self._generation()}")
        self.applied += 1

    def _generation(self) -> int:
        found = self._cluster.get("gsvc", self._manifest["metadata"]["name"])
        return int(found["metadata"]["generation"])


class Counters:
    """What the proxies count, by cluster: calls by gRPC, gRPC-Web and REST.

    Args:
        ports: Ports on loopback that lead to the metrics of each proxy.
    """

    def __init__(self, ports: list[int]) -> None:
        self._pools = [urllib3.HTTPConnectionPool("127.0.0.1", port) for port in ports]

    def calls(self, cluster: str) -> int:
        """Returns the calls of an Envoy cluster, over all proxies."""
        return sum(self._of(pool, cluster) for pool in self._pools)

    def follow(self, cluster: str, over: Callable[[], bool]) -> list[tuple[float, int]]:
        """Returns times and counts of a cluster, from now until it is over and nothing comes."""
        seen = [(time.monotonic(), self.calls(cluster))]
        is_over = False
        while not is_over or time.monotonic() - seen[-1][0] < _QUIET:
            is_over = is_over or over()
            assert time.monotonic() - seen[0][0] < HANG, f"{cluster} still gets calls: {seen}"
            count = self.calls(cluster)
            if count != seen[-1][1]:
                seen.append((time.monotonic(), count))
            time.sleep(0.1)
        return seen

    @staticmethod
    def _of(pool: urllib3.HTTPConnectionPool, cluster: str) -> int:
        text = pool.request("GET", "/stats/prometheus").data.decode()
        return sum(int(count) for name, count in _CALLS.findall(text) if name == cluster)


@contextmanager
def proxy_counters(cluster: Cluster) -> Iterator[Counters]:
    """Provides the counters of every proxy that runs now."""
    selector = f"grpc.infera.dev/gateway={GATEWAY}"
    pods = cluster.get("-n", SYSTEM, "pods", "-l", selector)["items"]
    with ExitStack() as stack:
        names = [pod["metadata"]["name"] for pod in pods]
        forwards = [port_forward(cluster, SYSTEM, f"pod/{name}", _STATS_PORT) for name in names]
        yield Counters([stack.enter_context(forward) for forward in forwards])


def documents(path: Any) -> list[dict[str, Any]]:
    """Returns the objects of a manifest."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]
