"""Runs the clients in a pod of the cluster: grpcio, grpc-go and grpc-js."""

import io
import json
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from images.build import OPERATOR
from images.toolchain import environment
from tests.clients import toolchain
from tests.e2e.cluster import Cluster

_HERE = Path(__file__).parent
_FOLDER = "/direct"
_POD = "direct"

_COMMANDS = {
    "Python": ["python", f"{_FOLDER}/client.py"],
    "Go": [f"{_FOLDER}/go"],
    "Node.js": [f"{_FOLDER}/node", f"{_FOLDER}/client.mjs"],
}

_UNPACK = (
    f"import sys, tarfile;tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall('{_FOLDER}')"
)


def build(directory: Path) -> bytes:
    """Builds the clients and returns a tar file of all that they need."""
    variables = environment(directory)
    go, package = directory / "go", directory / "package"
    package.mkdir()
    toolchain.run(
        [
            f"CGO_ENABLED=0 go build -C examples/clients/go -o {go} {_HERE / 'main.go'}",
            f"cp examples/clients/typescript/package*.json {package}",
            f"npm ci --prefix {package} --omit=dev --ignore-scripts --no-audit --no-fund",
        ],
        variables,
    )
    node = (directory / "bin/node").resolve()
    files = {"go": go, "node": node, "node_modules": package / "node_modules", **_libraries(node)}
    files |= {name: _HERE / name for name in ("client.py", "client.mjs")}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, path in files.items():
            archive.add(path, name)
    return packed.getvalue()


def _libraries(program: Path) -> dict[str, Path]:
    """Returns what Node.js is linked with and small images lack."""
    linked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in linked.splitlines():
        name, _, place = line.strip().partition(" => ")
        if name.startswith(("libstdc++", "libgcc_s", "libatomic")):
            found[name] = Path(place.split(" (")[0]).resolve()
    return found


class DirectClients:
    """Clients that call services until they are stopped.

    Args:
        cluster: The cluster.
        packed: What `build` returned.
        services: Names of GrpcServices; each is called by a client of every language.
    """

    def __init__(self, cluster: Cluster, packed: bytes, services: list[str]) -> None:
        self._cluster = cluster
        self._packed = packed
        self._services = services
        self._running: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        self._delete()
        self._cluster.apply(_pod(self._services))
        self._cluster.kubectl("wait", f"pod/{_POD}", "--for=condition=Ready", "--timeout=60s")
        self._cluster.kubectl_bytes(
            "exec", "-i", _POD, "--", "python", "-c", _UNPACK, stdin=self._packed
        )
        for service in self._services:
            for language, command in _COMMANDS.items():
                self._running[f"{service} {language}"] = self._start(service, command)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._delete()
        for process in self._running.values():
            process.wait(timeout=60)

    def stop(self) -> dict[str, dict[str, Any]]:
        """Ends the clients and returns what each has seen: `calls`, and `failed` by second."""
        self._cluster.kubectl("exec", _POD, "--", "touch", f"{_FOLDER}/stop")
        with ThreadPoolExecutor(len(self._running)) as pool:
            outputs = pool.map(lambda each: each.communicate(timeout=60)[0], self._running.values())
            return {
                name: json.loads(output.splitlines()[-1])
                for name, output in zip(self._running, outputs, strict=True)
            }

    def _start(self, service: str, command: list[str]) -> subprocess.Popen[str]:
        prefix = _prefix(service)
        script = (
            f'GRPC_TARGET="${prefix}GRPC_TARGET"'
            f' GRPC_SERVICE_CONFIG="${prefix}GRPC_SERVICE_CONFIG"'
            f' LD_LIBRARY_PATH={_FOLDER} exec "$@"'
        )
        return self._cluster.start("exec", _POD, "--", "sh", "-c", script, "sh", *command)

    def _delete(self) -> None:
        self._cluster.kubectl("delete", "pod", _POD, "--ignore-not-found", "--grace-period=1")


def _prefix(service: str) -> str:
    return f"{service.upper()}_"


def _pod(services: list[str]) -> dict[str, Any]:
    sources = [
        {"prefix": _prefix(service), "configMapRef": {"name": f"{service}-grpc-client"}}
        for service in services
    ]
    container = {
        "name": "clients",
        "image": OPERATOR.tag,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", "import time; time.sleep(3600)"],
        "envFrom": sources,
        "volumeMounts": [{"name": "work", "mountPath": _FOLDER}],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "work", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": _POD}, "spec": spec}
