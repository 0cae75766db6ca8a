"""The Tiltfile holds together: what it names exists, and what it deploys is what it builds."""

import functools
import importlib.util
import re
from typing import Any

import pytest
import yaml

from grpc_operator.api import GrpcService
from grpc_operator.desired import service as desired_service
from images.build import IMAGES
from tests.tilt.tiltfile import ROOT, Manifest, Tilt, TiltError
from tilt import reload

PROVIDERS = ("kind", "localkind")
SHOP = ("users", "products", "orders")
_COPY = re.compile(r"^COPY (?!--from)(\S+) (\S+)$", re.MULTILINE)
_PATH_LITERAL = re.compile(
    r"'((?:\.venv|charts|crds|dev|examples|operator|proto|services)(?:/[\w./-]+)?)'"
)


@functools.cache
def tilt(provider: str = "kind") -> Tilt:
    """Returns the evaluation for a provider; treat it as read-only."""
    return Tilt(provider=provider).evaluate()


def only(kind: str, name: str) -> Manifest:
    """Returns the one object of a kind and name."""
    (found,) = (
        manifest
        for manifest in tilt().manifests
        if manifest["kind"] == kind and manifest["metadata"]["name"] == name
    )
    return found


def calls(function: str, key: str) -> dict[str, dict[str, Any]]:
    """Returns the calls of a function of Tilt by one of their arguments; each value once."""
    made = tilt().calls[function]
    by_key = {call[key]: call for call in made}
    assert len(by_key) == len(made)
    return by_key


def images(provider: str = "kind") -> dict[str, dict[str, Any]]:
    """Returns the images that Tilt builds by name; context and Dockerfile are those of both."""
    build = "docker_build" if provider == "kind" else "custom_build"
    found = {call["ref"]: dict(call) for call in tilt(provider).calls[build]}
    for image in found.values():
        if "command" in image:
            image["dockerfile"], image["context"] = image["command"].split(" && ")[0].split()[-2:]
    return found


@pytest.mark.parametrize("context", ["production", "k3d-dev", "kind", "not-kind-dev", ""])
def test_another_context_than_a_kind_cluster_is_refused(context: str) -> None:
    """Nobody deploys to production by accident; the message says which context it was."""
    with pytest.raises(TiltError, match=rf'the current context is "{context}".*create cluster'):
        Tilt(context=context).evaluate()


def test_a_missing_environment_is_named() -> None:
    """The message says what to run."""
    with pytest.raises(TiltError, match=r"\.venv/bin/python is missing\. Run: make init"):
        Tilt(missing=frozenset({".venv/bin/python"})).evaluate()


def test_only_the_current_context_is_allowed() -> None:
    """A kind context is allowed by name, and no other one is."""
    assert tilt().calls["allow_k8s_contexts"] == [{"contexts": "kind-dev"}]


def test_docker_builds_for_kind_from_the_downloaded_wheels() -> None:
    """No build reaches the network."""
    assert images()
    for image in images().values():
        assert image["build_args"] == {"PIP_NO_INDEX": "1"}


def test_every_image_of_the_repository_is_built_as_make_images_does() -> None:
    """The same Dockerfile and the same context under the same name."""
    ours = {
        image.tag.removesuffix(":dev"): [str(ROOT / word) for word in image.arguments[1:]]
        for image in IMAGES
    }
    for provider in PROVIDERS:
        built = {
            name: [str(ROOT / image["dockerfile"]), str(ROOT / image["context"])]
            for name, image in images(provider).items()
        }

        assert built == ours


def test_localkind_builds_and_loads_into_the_cluster_of_the_context() -> None:
    """Without Docker, the image that Tilt expects is built and loaded by dev/bin/kind."""
    for image in images("localkind").values():
        build, load = image["command"].split(" && ")

        assert image["skips_local_docker"]
        assert build.startswith('dev/bin/kind build image --tag "$EXPECTED_REF" ')
        assert " --build-arg PIP_NO_INDEX=1 --file " in build
        assert load == 'dev/bin/kind load docker-image "$EXPECTED_REF" --name dev'


def test_both_providers_deploy_the_same() -> None:
    """Only the way to build an image differs."""
    same = ("live_update", "entrypoint", "match_in_env_vars", "ignore")
    kind, localkind = (
        {name: [image[key] for key in same] for name, image in images(provider).items()}
        for provider in PROVIDERS
    )

    assert kind == localkind
    assert tilt("kind").manifests == tilt("localkind").manifests


def test_every_image_that_runs_is_built_and_every_built_image_runs() -> None:
    """Tilt puts its own tag in place of the images it knows, so it must know all of them."""
    deployment = only("Deployment", "grpc-operator")
    (operator,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value") for entry in operator["env"]}
    envoy = environment["GRPC_OPERATOR_ENVOY_IMAGE"]
    assert [name for name, image in images().items() if image["match_in_env_vars"]] == [
        envoy.rsplit(":", 1)[0]
    ]
    used = {operator["image"], envoy}
    assert calls("k8s_kind", "kind")["GrpcService"]["image_json_path"] == "{.spec.image}"
    used |= {only("GrpcService", name)["spec"]["image"] for name in SHOP}
    (postgres,) = only("Deployment", "postgres")["spec"]["template"]["spec"]["containers"]
    used.add(postgres["image"])

    assert {image.rsplit(":", 1)[0] for image in used} == images().keys()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_folder_that_an_image_copies_is_synced_to_where_it_runs(provider: str) -> None:
    """The reloader runs a copy of what the Dockerfile copied: same folders, other root."""
    for image in images(provider).values():
        dockerfile = (ROOT / image["dockerfile"]).read_text()
        copied = {
            f"{image['context']}/{source}": target.replace(str(reload.SOURCE), str(reload.COPY))
            for source, target in _COPY.findall(dockerfile)
            if target.startswith(f"{reload.SOURCE}/")
        }

        assert dict(image["live_update"]) == copied
        assert all((ROOT / source).is_dir() for source in copied)
        assert all(target.startswith(f"{reload.COPY}/") for target in copied.values())


def test_every_path_exists() -> None:
    """Paths that Tilt reads or watches, and all others that stand in the Tiltfile."""
    literals = _PATH_LITERAL.findall((ROOT / "Tiltfile").read_text())
    assert len(literals) > 10

    missing = [path for path in (*tilt().paths, *literals) if not (ROOT / path).exists()]

    assert missing == []


def test_every_dependency_is_a_resource() -> None:
    """A misspelled resource_deps would stop `tilt up`."""
    local = calls("local_resource", "name")
    deployed = calls("k8s_custom_deploy", "name")
    workloads = calls("k8s_resource", "workload")
    applied = {m["metadata"]["name"] for m in tilt().manifests if m["kind"] in _WORKLOADS}
    names = {*local, *deployed, *applied}
    assert workloads.keys() <= names
    for name, resource in (local | deployed | workloads).items():
        assert set(resource.get("resource_deps", ())) <= names, name


_WORKLOADS = {"Deployment", "GrpcService"}


def test_every_object_belongs_to_exactly_one_resource() -> None:
    """Nothing is in Tilt's "uncategorized", and no name is given to an object that is not."""
    workloads = calls("k8s_resource", "workload").values()
    given = [name.lower() for resource in workloads for name in resource.get("objects", ())]
    matches = dict.fromkeys(given, 0)
    for manifest in tilt().manifests:
        if manifest["kind"] in {*_WORKLOADS, "Service"}:  # Tilt finds these by itself
            continue
        metadata = manifest["metadata"]
        short = f"{metadata['name']}:{manifest['kind']}".lower()
        full = f"{short}:{metadata.get('namespace')}"
        found = [name for name in given if name in {short, full}]
        assert len(found) == 1, f"{full} is in {found}"
        matches[found[0]] += 1

    assert set(matches.values()) == {1}


def test_the_crds_are_applied_once_and_server_side() -> None:
    """They come from crds/, so the chart must not bring its own."""
    apply = calls("k8s_custom_deploy", "name")["crds"]["apply_cmd"]

    assert "CustomResourceDefinition" not in {m["kind"] for m in tilt().manifests}
    assert {"apply", "--server-side", "crds"} <= set(apply)


def test_pods_run_the_reloader_from_their_config_map() -> None:
    """Command, mount and ConfigMap fit together in both namespaces."""
    operator = only("Deployment", "grpc-operator")["spec"]["template"]["spec"]
    entrypoint = images()["localhost/grpc-operator"]["entrypoint"]
    programs = [(operator, "grpc-operator-system", entrypoint)]
    programs += [
        (_shop_pod(name), "default", only("GrpcService", name)["spec"]["command"]) for name in SHOP
    ]
    for pod, namespace, command in programs:
        volume = {"name": "reload", "configMap": {"name": "reload"}}
        mount = {"name": "reload", "mountPath": "/reload"}
        (config,) = (
            m
            for m in tilt().manifests
            if m["kind"] == "ConfigMap" and m["metadata"].get("namespace") == namespace
        )

        assert volume.items() <= next(v for v in pod["volumes"] if v["name"] == "reload").items()
        assert mount in pod["containers"][0]["volumeMounts"]
        assert config["data"]["reload.py"] == (ROOT / "dev/tilt/reload.py").read_text()
        assert command[:2] == ["/app/bin/python", "/reload/reload.py"]
        assert importlib.util.find_spec(command[2])


def test_pods_keep_their_security_settings() -> None:
    """The root stays read-only and nobody is root: what is synced goes into /tmp."""
    operator = only("Deployment", "grpc-operator")["spec"]["template"]["spec"]
    for pod in (operator, *map(_shop_pod, SHOP)):
        (container,) = pod["containers"]

        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert "/tmp" in {m["mountPath"] for m in container["volumeMounts"]}  # noqa: S108


@pytest.mark.parametrize("name", SHOP)
def test_the_shop_differs_only_in_what_development_needs(name: str) -> None:
    """`tilt up` shows the same example as `kubectl apply`."""
    example = yaml.safe_load((ROOT / f"examples/shop/{name}.yaml").read_text())
    service = only("GrpcService", name)

    changed = {key for key in service["spec"] if service["spec"][key] != example["spec"].get(key)}

    assert service["metadata"] == example["metadata"]
    assert changed == {"command", "env", "probes", "podTemplate"}


def test_forwarded_ports_are_open() -> None:
    """A port forward to a port that nothing listens on only fails when it is used."""
    ports = {
        "grpc-operator": only("Deployment", "grpc-operator")["spec"]["template"]["spec"],
        **{name: _shop_pod(name) for name in SHOP},
    }
    for name, pod in ports.items():
        open_ports = {p["containerPort"] for p in pod["containers"][0]["ports"]}

        assert set(calls("k8s_resource", "workload")[name]["port_forwards"]) <= open_ports


def test_local_commands_exist() -> None:
    """`make` targets are in the Makefile, Python modules can be imported."""
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for resource in tilt().calls["local_resource"]:
        program, *words = resource["cmd"]
        if program == "make":
            assert words[0] in targets
        else:
            assert words[0] == "-m"
            assert importlib.util.find_spec(words[1])


def test_nothing_slow_runs_unasked() -> None:
    """The checks run when somebody asks for them."""
    for name in ("check", "call-users"):
        resource = calls("local_resource", "name")[name]
        assert (resource["auto_init"], resource["trigger_mode"]) == (False, "manual")


def _shop_pod(name: str) -> Manifest:
    manifest = only("GrpcService", name)
    metadata = {"namespace": "default", "uid": "u", "generation": 1, **manifest["metadata"]}
    service = GrpcService.parse({**manifest, "metadata": metadata})
    (deployment,) = (m for m in desired_service.build(service) if m["kind"] == "Deployment")
    pod: Manifest = deployment["spec"]["template"]["spec"]
    return pod
