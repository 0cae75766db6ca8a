"""The files for GitOps tools in ``examples/gitops`` do what their first lines say."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT

EXAMPLES = ROOT / "examples/gitops/kustomize"
KUSTOMIZATION = """
namePrefix: dev-
resources: [objects.yaml]
configurations: [kustomizeconfig.yaml]
openapi: {path: openapi.json}
images: [{name: user-service, newName: registry.example/users, newTag: "2"}]
replicas: [{name: users, count: 3}, {name: edge, count: 4}]
configMapGenerator: [{name: settings, literals: [A=1]}, {name: api, literals: [descriptor.pb=1]}]
secretGenerator: [{name: credentials, literals: [token=1]}]
patches:
  - patch: |
      apiVersion: grpc.infera.dev/v1alpha1
      kind: GrpcService
      metadata: {name: users}
      spec:
        env: [{name: B, value: b}]
        podTemplate:
          spec:
            containers: [{name: grpc, tty: true, volumeMounts: [{name: b, mountPath: /b}]}]
            volumes: [{name: b, emptyDir: {}}]
"""
OBJECTS = """
apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcService
metadata: {name: users}
spec:
  image: user-service:1
  replicas: 1
  serviceAccountName: backend
  imagePullSecrets: [{name: credentials}]
  env:
    - {name: A, valueFrom: {configMapKeyRef: {name: settings, key: A}}}
    - {name: T, valueFrom: {secretKeyRef: {name: credentials, key: token}}}
  envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: credentials}}]
  descriptor: {configMap: {name: api}}
  gateway: {gatewayRef: {name: edge}}
  podTemplate:
    spec:
      containers:
        - {name: grpc, volumeMounts: [{name: a, mountPath: /a}]}
        - {name: side, image: "user-service:1"}
      volumes:
        - {name: a, secret: {secretName: credentials}}
        - {name: c, configMap: {name: settings}}
---
apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcGateway
metadata: {name: edge}
spec:
  replicas: 1
  listeners: [{name: https, port: 443, protocol: HTTPS, tls: {secretName: credentials}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: backend}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: users}
spec:
  scaleTargetRef: {apiVersion: grpc.infera.dev/v1alpha1, kind: GrpcService, name: users}
  maxReplicas: 3
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What kustomize makes of an overlay, by kind."""
    directory: Path = tmp_path_factory.mktemp("kustomize")
    for name in ("kustomizeconfig.yaml", "openapi.json"):
        (directory / name).write_text((EXAMPLES / name).read_text())
    (directory / "kustomization.yaml").write_text(KUSTOMIZATION)
    (directory / "objects.yaml").write_text(OBJECTS)
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run(
        [kubectl, "kustomize", directory], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = list(yaml.safe_load_all(done.stdout))
    config_maps = {"settings", "api"}
    return {
        next((name for name in config_maps if name in each["metadata"]["name"]), each["kind"]): each
        for each in found
    }


def test_names_follow_the_objects_that_they_name(built: dict[str, dict[str, Any]]) -> None:
    """With prefixes, and the hashes of generated ConfigMaps and Secrets."""
    spec = built["GrpcService"]["spec"]
    pod = spec["podTemplate"]["spec"]
    settings, api = (built[name]["metadata"]["name"] for name in ("settings", "api"))
    secret = built["Secret"]["metadata"]["name"]
    env = {each["name"]: each for each in spec["env"]}
    volumes = {each["name"]: each for each in pod["volumes"]}

    assert env["A"]["valueFrom"]["configMapKeyRef"]["name"] == settings
    assert env["T"]["valueFrom"]["secretKeyRef"]["name"] == secret
    assert [each.popitem()[1]["name"] for each in spec["envFrom"]] == [settings, secret]
    assert spec["imagePullSecrets"] == [{"name": secret}]
    assert spec["descriptor"]["configMap"]["name"] == api
    assert spec["serviceAccountName"] == "dev-backend"
    assert spec["gateway"]["gatewayRef"]["name"] == "dev-edge"
    assert volumes["a"]["secret"]["secretName"] == secret
    assert volumes["c"]["configMap"]["name"] == settings
    assert built["GrpcGateway"]["spec"]["listeners"][0]["tls"]["secretName"] == secret
    assert built["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "dev-users"


def test_images_and_replicas_are_found(built: dict[str, dict[str, Any]]) -> None:
    """Those of added containers, too."""
    spec = built["GrpcService"]["spec"]
    side = next(c for c in spec["podTemplate"]["spec"]["containers"] if c["name"] == "side")

    assert spec["image"] == side["image"] == "registry.example/users:2"
    assert (spec["replicas"], built["GrpcGateway"]["spec"]["replicas"]) == (3, 4)


def test_patches_are_merged(built: dict[str, dict[str, Any]]) -> None:
    """Variables, containers, mounts and volumes by their keys, as in a Deployment."""
    spec = built["GrpcService"]["spec"]
    pod = spec["podTemplate"]["spec"]
    containers = {each["name"]: each for each in pod["containers"]}

    assert {each["name"] for each in spec["env"]} == {"A", "T", "B"}
    assert set(containers) == {"grpc", "side"}
    assert containers["grpc"]["tty"] is True
    assert {each["mountPath"] for each in containers["grpc"]["volumeMounts"]} == {"/a", "/b"}
    assert {each["name"] for each in pod["volumes"]} == {"a", "b", "c"}
