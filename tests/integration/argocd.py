"""Argo CD's own code: whether it sees a difference, and what its health check says.

The program in ``tests/integration/argocd`` is built from Argo CD's Go modules, once a session.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc_operator.resources import Manifest
from localkind.progress import Progress
from localkind.toolchain import ensure_go

MANAGER = "argocd-controller"
"""Argo CD's field manager."""
_SOURCE = Path(__file__).with_suffix("")
_BUILD_SECONDS = 1200
_SECONDS = 120


@dataclass(frozen=True)
class ArgoCD:
    """The program, and the OpenAPI of the API server.

    Attributes:
        program: Path of the executable.
        open_api: The answer of /openapi/v2.
    """

    program: Path
    open_api: Manifest

    def differences(self, pairs: Sequence[tuple[Manifest, Manifest]]) -> dict[str, list[Any]]:
        """Returns what Argo CD shows for objects from Git and live ones; None where in sync."""
        given = [{"Config": config, "Live": live} for config, live in pairs]
        answer = self._ask(OpenAPI=self.open_api, Pairs=given)
        return {mode: answer[mode] for mode in ("ClientSide", "ServerSide")}

    def health(self, script: str, live: Manifest) -> Manifest:
        """Returns status and message that a health check in Lua gives to an object."""
        (result,) = self._ask(Health=[{"Script": script, "Object": live}])["Health"]
        return dict(result)

    def _ask(self, **request: Any) -> Manifest:
        body = {"Manager": MANAGER, **request}
        done = subprocess.run(
            [self.program],
            input=json.dumps(body),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: Manifest = json.loads(done.stdout)
        return answer


def build(directory: Path) -> Path:
    """Builds the program with the Go toolchain of localkind; returns its path."""
    program = directory / "argocd"
    done = subprocess.run(
        [ensure_go(Progress()), "build", "-o", program, "."],
        cwd=_SOURCE,
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return program
