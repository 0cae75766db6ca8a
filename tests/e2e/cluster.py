"""kubectl and helm against the cluster of the stories."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KUBECTL = str(ROOT / ".venv" / "bin" / "kubectl")


class Cluster:
    """A cluster as a person with kubectl and helm sees it."""

    def __init__(self, kubeconfig: Path, helm: str) -> None:
        self.kubeconfig = kubeconfig
        self._env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self._helm = helm

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Runs kubectl and returns what it printed; fails the test with its error."""
        return self._run([KUBECTL, *arguments], stdin)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts kubectl for as long as the caller wants it, such as a watch."""
        return subprocess.Popen(
            [KUBECTL, *arguments],
            env=self._env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def kubectl_bytes(self, *arguments: str, stdin: bytes) -> None:
        """Runs kubectl with binary input; fails the test with its error."""
        done = subprocess.run(
            [KUBECTL, *arguments], input=stdin, env=self._env, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def helm(self, *arguments: str) -> str:
        """Runs helm and returns what it printed; fails the test with its error."""
        return self._run([self._helm, *arguments], None)

    def apply(self, manifest: dict[str, Any]) -> str:
        """Applies a manifest as a person does."""
        return self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def get(self, *what: str) -> dict[str, Any]:
        """Returns one object, or a list of them."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *what, "-o", "json"))
        return found

    def wait_ready(self, name: str, timeout: int = 120) -> None:
        """Waits as a pipeline does."""
        self.kubectl("wait", "--for=condition=Ready", f"--timeout={timeout}s", f"gsvc/{name}")

    def condition(self, name: str, type_: str) -> dict[str, Any]:
        """Returns one condition of a GrpcService, empty when it has none of that type."""
        for condition in self.get("gsvc", name)["status"].get("conditions", ()):
            if condition["type"] == type_:
                return dict(condition)
        return {}

    def _run(self, command: list[str], stdin: str | None) -> str:
        done = subprocess.run(
            command, input=stdin, env=self._env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout
