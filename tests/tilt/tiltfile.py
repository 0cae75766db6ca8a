"""Evaluates the Tiltfile: Starlark is real, Tilt's functions record what they are asked for."""
# ruff: noqa: ARG002, D102, FBT001, FBT002 - signatures and names are Tilt's

import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import starlark
import yaml

ROOT = Path(__file__).parents[2]
Manifest = dict[str, Any]

_OS = """
os = struct(
    path = struct(exists = os_path_exists, abspath = os_path_abspath),
    getenv = os_getenv,
    putenv = os_putenv,
)
"""
_HELM_TEST = re.compile(r"^# Source: .*/tests/", re.MULTILINE)
"""Tilt leaves the tests of a chart out (internal/tiltfile/helm.go)."""

_PARAMETERS = {
    "allow_k8s_contexts": "contexts",
    "custom_build": "ref command deps ignore skips_local_docker entrypoint live_update"
    " match_in_env_vars",
    "docker_build": "ref context dockerfile only ignore build_args entrypoint live_update"
    " match_in_env_vars",
    "k8s_custom_deploy": "name apply_cmd delete_cmd deps",
    "k8s_kind": "kind image_json_path pod_readiness",
    "k8s_resource": "workload port_forwards resource_deps objects pod_readiness labels",
    "local_resource": "name cmd deps trigger_mode resource_deps ignore auto_init labels env",
}
"""Functions that only declare something (internal/tiltfile/api/__init__.py of tilt-dev/tilt).

Their parameters as far as the Tiltfile uses them: a misspelt one fails here as it does in Tilt.
"""


class TiltError(Exception):
    """What `fail()` said, or why Starlark stopped."""


@dataclass
class Tilt:
    """One evaluation.

    Attributes:
        context: The current kubectl context.
        provider: What `localkind provider` is to answer.
        missing: Paths that are to seem absent.
        calls: The arguments of each call of a function that only declares something.
        paths: What was read or is watched.
        manifests: What Tilt would apply.
    """

    context: str = "kind-dev"
    provider: str = "kind"
    missing: frozenset[str] = frozenset()
    calls: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    paths: list[str] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def evaluate(self) -> "Tilt":
        """Runs the Tiltfile.

        Raises:
            TiltError: It failed.
        """
        module, functions = starlark.Module(), Functions(self)
        for name, parameters in _PARAMETERS.items():
            module.add_callable(name, self._recorder(name, parameters.split()))
        for name in dir(Functions):
            if not name.startswith("_"):
                module.add_callable(name, getattr(functions, name))
        module["TRIGGER_MODE_MANUAL"] = "manual"
        standard = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
        dialect = starlark.Dialect.standard()
        dialect.enable_top_level_stmt = True
        try:
            for name, text in (("os", _OS), ("Tiltfile", (ROOT / "Tiltfile").read_text())):
                starlark.eval(module, starlark.parse(name, text, dialect), standard)
        except starlark.StarlarkError as error:
            raise TiltError(str(error)) from error
        return self

    def path(self, path: str) -> Path:
        """Notes a path; returns it."""
        self.paths.append(path)
        return ROOT / path

    def _recorder(self, function: str, parameters: list[str]) -> Callable[..., None]:
        def record(*given: Any, **named: Any) -> None:
            unknown = named.keys() - set(parameters)
            if unknown:
                raise TypeError(f"{function} has no parameter {unknown}")
            arguments = {**dict(zip(parameters, given, strict=False)), **named}
            self.paths += [*arguments.get("deps", ()), *self._files(arguments)]
            self.calls[function].append(arguments)

        return record

    @staticmethod
    def _files(arguments: dict[str, Any]) -> list[str]:
        """Returns what Docker is given of a context."""
        return [f"{arguments['context']}/{path}" for path in arguments.get("only", ())]


class Functions:
    """Tilt's functions that answer; every public method is one."""

    def __init__(self, tilt: Tilt) -> None:
        self._tilt = tilt

    def k8s_context(self) -> str:
        return self._tilt.context

    def fail(self, msg: str) -> None:
        raise TiltError(msg)

    def local(self, command: list[str], quiet: bool = False, env: Any = None) -> str:
        if command[-1] == "provider":
            return f"{self._tilt.provider}\n"
        environment = {**self._tilt.environment, **(env or {})}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def os_path_exists(self, path: str) -> bool:
        return path not in self._tilt.missing and (ROOT / path).exists()

    def os_path_abspath(self, path: str) -> str:
        return str(ROOT / path)

    def os_getenv(self, key: str) -> str | None:
        return self._tilt.environment.get(key)

    def os_putenv(self, key: str, value: str) -> None:
        self._tilt.environment[key] = value

    def read_file(self, file_path: str) -> str:
        return self._tilt.path(file_path).read_text()

    def read_yaml(self, path: str) -> Any:
        return yaml.safe_load(self.read_file(path))

    def encode_yaml(self, obj: Any) -> str:
        return yaml.safe_dump(obj)

    def decode_yaml_stream(self, text: str) -> list[Any]:
        return [document for document in yaml.safe_load_all(text) if document]

    def helm(self, chart: str, name: str, namespace: str, values: list[str]) -> str:
        program = shutil.which("helm", path=self._tilt.environment["PATH"])
        assert program, "helm is not on the PATH that the Tiltfile sets"
        command = [program, "template", name, str(self._tilt.path(chart)), "--include-crds"]
        command += ["--namespace", namespace]
        for file in values:
            command += ["--values", str(self._tilt.path(file))]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise TiltError(done.stderr)
        parts = done.stdout.split("---\n")
        return "---\n".join(part for part in parts if not _HELM_TEST.search(part))

    def k8s_yaml(self, text: str | list[str]) -> None:
        texts = map(self.read_file, text) if isinstance(text, list) else [text]
        for each in texts:
            self._tilt.manifests += self.decode_yaml_stream(each)

    def sync(self, local_path: str, remote_path: str) -> list[str]:
        return [local_path, remote_path]

    def port_forward(
        self, local_port: int, container_port: int, name: str = "", link_path: str = ""
    ) -> int:
        return container_port
