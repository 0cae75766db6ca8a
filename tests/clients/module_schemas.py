"""The schemas of other projects' CustomResourceDefinitions, from their Go modules.

go verifies a module by the checksum database; the sums here pin what is downloaded.
"""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from grpc_operator.cli.schema import cel, structure
from localkind.progress import Progress
from localkind.toolchain import ensure_go

GATEWAY_API = (
    "sigs.k8s.io/gateway-api@v1.6.3",
    "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
    "config/crd/standard",
)
ENVOY_GATEWAY = (
    "github.com/envoyproxy/gateway@v1.9.1",
    "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
    "charts/gateway-helm/charts/crds/crds/generated",
)
KNATIVE = (
    "knative.dev/serving@v0.51.0",
    "h1:yN2Q7eYqJgoPfZkATjoBZyGbZ2P1Qhns9HIMU4mF+to=",
    "config/core/300-resources",
)


def problems(manifest: dict[str, Any], *modules: tuple[str, str, str]) -> list[str]:
    """Returns what the API server would refuse of an object: fields, types and CEL rules.

    Raises:
        KeyError: None of the modules has the kind.
    """
    schemas = {kind: schema for module in modules for kind, schema in _schemas(module).items()}
    schema = schemas[manifest["apiVersion"], manifest["kind"]]
    schema = {**schema, "properties": {**schema["properties"], "metadata": _METADATA}}
    filled, found = structure.checked(manifest, schema)
    found += cel.problems(filled, schema, [each.location for each in found if each.blocks])
    return [f"{each.field}: {each.message}" for each in found]


_METADATA = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@cache
def _schemas(module: tuple[str, str, str]) -> dict[tuple[str, str], dict[str, Any]]:
    path, expected, folder = module
    done = subprocess.run(
        [ensure_go(Progress()), "mod", "download", "-json", path],
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"},
        check=True,
        capture_output=True,
        text=True,
    )
    downloaded = json.loads(done.stdout)
    assert downloaded["Sum"] == expected, path
    found = {}
    for file in sorted(Path(downloaded["Dir"], folder).glob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if each and each["kind"] == "CustomResourceDefinition":
                found.update(_versions(each["spec"]))
    return found


def _versions(spec: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    kind = spec["names"]["kind"]
    return {
        (f"{spec['group']}/{version['name']}", kind): version["schema"]["openAPIV3Schema"]
        for version in spec["versions"]
    }
