"""Evaluates the Tiltfile: Starlark is real, Tilt's functions record what they are asked for.

Each function has the parameters of Tilt's own (internal/tiltfile/api/__init__.py of tilt-dev/tilt)
as far as the Tiltfile uses them, so a misspelled argument fails here as it does in Tilt.
"""
# ruff: noqa: ARG002, D102, FBT001, FBT002, PLR0917 - signatures and names are Tilt's

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import starlark
import yaml

ROOT = Path(__file__).parents[2]
Manifest = dict[str, Any]
Names = str | list[str]

_OS = """
os = struct(
    path = struct(exists = os_path_exists, dirname = os_path_dirname),
    getenv = os_getenv,
    putenv = os_putenv,
)
"""
_HELM_TEST = re.compile(r"^# Source: .*/tests/", re.MULTILINE)
"""Tilt leaves the tests of a chart out (internal/tiltfile/helm.go)."""


class TiltError(Exception):
    """What `fail()` said, or why Starlark stopped."""


@dataclass(frozen=True)
class Image:
    """An image that Tilt builds."""

    builder: str
    context: str
    dockerfile: str
    command: str
    syncs: dict[str, str]
    entrypoint: list[str]
    in_environment: bool


@dataclass(frozen=True)
class Resource:
    """What `local_resource`, `k8s_custom_deploy` or `k8s_resource` was given."""

    command: list[str] = field(default_factory=list)
    resource_deps: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    automatic: bool = True


@dataclass
class Tilt:
    """One evaluation.

    Attributes:
        context: The current kubectl context.
        provider: What `localkind provider` is to answer.
        missing: Paths that are to seem absent.
    """

    context: str = "kind-dev"
    provider: str = "kind"
    missing: frozenset[str] = frozenset()
    allowed: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    manifests: list[Manifest] = field(default_factory=list)
    local: dict[str, Resource] = field(default_factory=dict)
    deployed: dict[str, Resource] = field(default_factory=dict)
    workloads: dict[str, Resource] = field(default_factory=dict)
    image_kinds: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def evaluate(self) -> "Tilt":
        """Runs the Tiltfile.

        Raises:
            TiltError: It failed.
        """
        module = starlark.Module()
        for name in dir(Builtins):
            if not name.startswith("_"):
                module.add_callable(name, getattr(Builtins(self), name))
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


class Builtins:
    """Tilt's functions; every public method is one."""

    def __init__(self, tilt: Tilt) -> None:
        self._tilt = tilt

    # Guards and the host

    def k8s_context(self) -> str:
        return self._tilt.context

    def allow_k8s_contexts(self, contexts: str) -> None:
        self._tilt.allowed.append(contexts)

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

    def os_path_dirname(self, path: str) -> str:
        return os.path.dirname(path)  # noqa: PTH120 - the same function in Tilt

    def os_getenv(self, key: str) -> str | None:
        return self._tilt.environment.get(key)

    def os_putenv(self, key: str, value: str) -> None:
        self._tilt.environment[key] = value

    # Files and YAML

    def read_file(self, file_path: str) -> str:
        return self._path(file_path).read_text()

    def read_yaml(self, path: str) -> Any:
        return yaml.safe_load(self._path(path).read_text())

    def encode_yaml(self, obj: Any) -> str:
        return yaml.safe_dump(obj)

    def decode_yaml_stream(self, text: str) -> list[Any]:
        return [document for document in yaml.safe_load_all(text) if document]

    def helm(self, chart: str, name: str, namespace: str, values: list[str]) -> str:
        program = shutil.which("helm", path=self._tilt.environment["PATH"])
        assert program, "helm is not on the PATH that the Tiltfile sets"
        command = [program, "template", name, str(self._path(chart)), "--include-crds"]
        command += ["--namespace", namespace]
        for file in values:
            command += ["--values", str(self._path(file))]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise TiltError(done.stderr)
        parts = done.stdout.split("---\n")
        return "---\n".join(part for part in parts if not _HELM_TEST.search(part))

    # Images

    def sync(self, local_path: str, remote_path: str) -> list[str]:
        return [local_path, remote_path]

    def docker_build(
        self,
        ref: str,
        context: str,
        dockerfile: str,
        only: list[str],
        ignore: list[str],
        build_args: dict[str, str],
        entrypoint: list[str],
        live_update: list[list[str]],
        match_in_env_vars: bool,
    ) -> None:
        for path in only:
            self._path(f"{context}/{path}")
        command = " ".join(f"{key}={value}" for key, value in build_args.items())
        built = ("docker", context, str(self._path(dockerfile)), command)
        self._image(ref, Image(*built, _syncs(live_update), entrypoint, match_in_env_vars))

    def custom_build(
        self,
        ref: str,
        command: str,
        deps: list[str],
        ignore: list[str],
        skips_local_docker: bool,
        entrypoint: list[str],
        live_update: list[list[str]],
        match_in_env_vars: bool,
    ) -> None:
        for path in deps:
            self._path(path)
        assert skips_local_docker, "Tilt would look for the image in a Docker engine"
        dockerfile, context = command.split(" && ", maxsplit=1)[0].split()[-2:]
        built = ("custom", context, str(self._path(dockerfile)), command)
        self._image(ref, Image(*built, _syncs(live_update), entrypoint, match_in_env_vars))

    # Resources

    def k8s_yaml(self, text: Names) -> None:
        if isinstance(text, list):
            text = "\n---\n".join(self._path(path).read_text() for path in text)
        self._tilt.manifests += self.decode_yaml_stream(text)

    def k8s_kind(self, kind: str, *, image_json_path: str, pod_readiness: str) -> None:
        assert pod_readiness in {"wait", "ignore"}
        self._tilt.image_kinds[kind] = image_json_path

    def port_forward(
        self, local_port: int, container_port: int, name: str = "", link_path: str = ""
    ) -> int:
        return container_port

    def local_resource(
        self,
        name: str,
        cmd: list[str],
        deps: list[str] | None = None,
        trigger_mode: str = "auto",
        resource_deps: list[str] | None = None,
        ignore: list[str] | None = None,
        auto_init: bool = True,
        labels: list[str] | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        for path in deps or ():
            self._path(path)
        assert name not in self._tilt.local
        automatic = auto_init and trigger_mode == "auto"
        self._tilt.local[name] = Resource(cmd, resource_deps or [], automatic=automatic)

    def k8s_custom_deploy(
        self, name: str, apply_cmd: list[str], delete_cmd: list[str], deps: list[str]
    ) -> None:
        for path in deps:
            self._path(path)
        self._tilt.deployed[name] = Resource([*apply_cmd, *delete_cmd])

    def k8s_resource(
        self,
        workload: str,
        port_forwards: list[int] | None = None,
        resource_deps: list[str] | None = None,
        objects: list[str] | None = None,
        pod_readiness: str = "wait",
        labels: list[str] | None = None,
    ) -> None:
        assert workload not in self._tilt.workloads
        self._tilt.workloads[workload] = Resource(
            [], resource_deps or [], objects or [], port_forwards or []
        )

    def _path(self, path: str) -> Path:
        self._tilt.paths.append(path)
        return ROOT / path

    def _image(self, ref: str, image: Image) -> None:
        assert ref not in self._tilt.images
        self._tilt.images[ref] = image


def _syncs(live_update: list[list[str]]) -> dict[str, str]:
    return dict(live_update)
