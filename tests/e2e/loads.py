"""Runs the load generator as a pod of the cluster, and Echo services to call."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from images.build import OPERATOR, USER_SERVICE
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.timeline import Timeline
from tests.waiting import wait_until

_CODE = "load-code"
_FOLDER = "/load"
_STUBS = ROOT / "services" / "user" / "gen"

_PROGRESS = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3} ")
"""How a line of progress begins."""


def _files() -> dict[str, Path]:
    """Returns the modules that the pods need, by the path they are imported under."""
    modules = {f"tests/load/{path.name}": path for path in (ROOT / "tests" / "load").glob("*.py")}
    modules["user/v1/user_pb2.py"] = _STUBS / "user" / "v1" / "user_pb2.py"
    return {path: file for path, file in modules.items() if not file.name.startswith("test_")}


def apply_code(cluster: Cluster, namespace: str = "default") -> None:
    """Puts the load generator and the Echo server into a ConfigMap."""
    data = {path.replace("/", "."): file.read_text() for path, file in _files().items()}
    metadata = {"name": _CODE, "namespace": namespace}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    cluster.apply(manifest)


def _volume() -> dict[str, Any]:
    items = [{"key": path.replace("/", "."), "path": path} for path in _files()]
    return {"name": "code", "configMap": {"name": _CODE, "items": items}}


def echo_service(name: str, replicas: int = 2, **spec: Any) -> dict[str, Any]:
    """Returns a GrpcService that runs the Echo service of the package ``load.NAME``.

    Its REST paths begin with ``/NAME``. Entries of `spec` replace those made here.
    """
    mounts = [{"name": "code", "mountPath": _FOLDER, "readOnly": True}]
    overlay = {"volumes": [_volume()], "containers": [{"name": "grpc", "volumeMounts": mounts}]}
    built = {
        "image": USER_SERVICE.tag,
        "imagePullPolicy": "IfNotPresent",
        "replicas": replicas,
        "command": ["python", "-m", "tests.load.echo_server"],
        "env": [
            {"name": "PYTHONPATH", "value": _FOLDER},
            {"name": "ECHO_PACKAGE", "value": f"load.{name}"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "48Mi"}},
        "drain": {"delay": "5s", "timeout": "30s"},
        "gateway": {"hostnames": ["*"], "retry": {"attempts": 0}},
        "podTemplate": {"spec": overlay},
    }
    return {
        "apiVersion": "grpc.infera.dev/v1alpha1",
        "kind": "GrpcService",
        "metadata": {"name": name},
        "spec": {**built, **spec},
    }


@dataclass(frozen=True)
class Report:
    """What a run of the load generator found, and what the cluster did meanwhile."""

    loads: list[dict[str, Any]]
    timeline: Timeline

    def calls(self, *names: str) -> int:
        """Returns how many calls some loads made, all of them without a name."""
        return self._sum("calls", names)

    def failed(self, *names: str) -> int:
        """Returns how many calls of some loads failed."""
        return self._sum("failed", names)

    def _sum(self, figure: str, names: tuple[str, ...]) -> int:
        return sum(load[figure] for load in self.loads if not names or load["name"] in names)

    def assert_nothing_failed(self) -> None:
        """Fails with the first failed calls, their times, and what the cluster did then."""
        bad = [load for load in self.loads if load["failed"] or load["lost_messages"]]
        assert not bad, self.describe(bad)

    def describe(self, loads: list[dict[str, Any]]) -> str:
        """Returns the figures and first failures of some loads, with the cluster's doings."""
        lines = [f"{self.failed()} of {self.calls()} calls failed"]
        failures = [failure for load in loads for failure in load["first_failures"]]
        for load in loads:
            lines.append(f"{load['name']}: {load['statuses']}, {load['lost_messages']} lost")
            lines.append(f"  failed by second: {load['failed_by_second']}")
            lines += [
                "  call {call}: {began} to {ended} {status} {detail}".format(**failure)
                for failure in load["first_failures"]
            ]
        if failures:
            first = min(failure["began"] for failure in failures)
            last = min(failure["ended"] for failure in failures)
            lines += ["What the cluster did:", self.timeline.around(first, last)]
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n".join(
            f"{load['name']}: {load['calls']} calls in {load['seconds']} s ({load['rate']}/s),"
            f" {load['failed']} failed, {load['messages']} messages,"
            f" {load['lost_messages']} lost, ms {load['latency_ms']}"
            for load in self.loads
        )


class LoadPod:
    """A run of the load generator; deleted with everything in flight when a test breaks off.

    Args:
        cluster: The cluster.
        target: Host and port to call.
        loads: What to call (tests/load/plan.py).
        seconds: Longest time of the run.
    """

    def __init__(
        self, cluster: Cluster, target: str, loads: list[dict[str, Any]], seconds: float = 900
    ) -> None:
        self._cluster = cluster
        self._plan = {"target": target, "loads": loads, "hold": True, "seconds": seconds}
        self._timeline = Timeline(cluster)

    def __enter__(self) -> Self:
        self._delete()
        self._cluster.apply(_load_pod(json.dumps(self._plan)))
        self._timeline.open()
        try:
            wait_until(self._under_way, "the load generator has made its first calls", every=1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._timeline.close()
        self._delete()

    @property
    def timeline(self) -> Timeline:
        """What the cluster does while the load runs."""
        return self._timeline

    def calls(self, prefix: str) -> int:
        """Returns how many calls have ended so far of the loads whose names begin so."""
        line = self._cluster.kubectl("logs", "load", "--tail=1")
        return sum(map(int, re.findall(rf"{re.escape(prefix)}[^:;]*: (\d+) calls", line)))

    def failed(self, prefix: str) -> int:
        """Returns how many calls have failed so far of the loads whose names begin so."""
        line = self._cluster.kubectl("logs", "load", "--tail=1")
        return sum(map(int, re.findall(rf"{re.escape(prefix)}[^:;]*: \d+ calls, (\d+)", line)))

    def stop(self, timeout: float = 900) -> Report:
        """Lets the running calls, and the counted ones, come to their end; returns the result."""
        self._cluster.kubectl("exec", "load", "--", "sh", "-c", "kill -TERM 1")
        ended = "--for=jsonpath={.status.containerStatuses[0].state.terminated.reason}"
        self._cluster.kubectl("wait", "pod/load", ended, f"--timeout={timeout:.0f}s")
        log = self._logs()
        lines = [line for line in log.splitlines() if not _PROGRESS.match(line)]
        assert "{" in lines, f"the load generator ended without a result:\n{log}"
        result = json.loads("\n".join(lines[lines.index("{") :]))
        return Report(result["loads"], self._timeline)

    def _under_way(self) -> bool:
        assert self._phase() not in ("Failed", "Succeeded"), self._logs()
        return self._phase() == "Running" and " calls," in self._logs()

    def _phase(self) -> str:
        return str(self._cluster.get("pod", "load")["status"].get("phase"))

    def _logs(self) -> str:
        return self._cluster.kubectl("logs", "load")

    def _delete(self) -> None:
        self._cluster.kubectl("delete", "pod", "load", "--ignore-not-found", "--grace-period=1")


def _load_pod(plan: str) -> dict[str, Any]:
    container = {
        "name": "load",
        "image": OPERATOR.tag,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "tests.load", plan],
        "env": [{"name": "PYTHONPATH", "value": _FOLDER}],
        "volumeMounts": [{"name": "code", "mountPath": _FOLDER, "readOnly": True}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [_volume()],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "load"}, "spec": spec}
