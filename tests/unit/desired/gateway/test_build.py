"""The objects of a GrpcGateway: what depends on what, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from grpc_operator import labels, names
from grpc_operator.desired.gateway import GatewaySettings, build
from grpc_operator.desired.service import build as build_service
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest
from tests.unit.desired.gateway import SETTINGS, gateway
from tests.unit.desired.service import service


def pod_spec(settings: GatewaySettings = SETTINGS, **spec: Any) -> Manifest:
    """Returns the PodSpec of a gateway."""
    return dict(template(settings, **spec)["spec"])


def template(settings: GatewaySettings = SETTINGS, **spec: Any) -> Manifest:
    """Returns the pod template of a gateway."""
    manifests = build(gateway(**spec), settings)
    (deployment,) = (m for m in manifests if m["kind"] == "Deployment")
    return dict(deployment["spec"]["template"])


def files(settings: GatewaySettings) -> dict[str, str]:
    """Returns the files of the bootstrap."""
    (config_map,) = (m for m in build(gateway(), settings) if m["kind"] == "ConfigMap")
    return dict(config_map["data"])


def option(name: str, **spec: Any) -> str:
    """Returns an option of Envoy's command line."""
    command = pod_spec(**spec)["containers"][0]["command"]
    return str(command[command.index(name) + 1])


def refusal(**spec: Any) -> str:
    """Returns why a gateway is refused."""
    with pytest.raises(InvalidSpecError) as caught:
        build(gateway(**spec), SETTINGS)
    return str(caught.value)


def listener(name: str, port: int) -> dict[str, Any]:
    """Returns a listener without TLS."""
    return {"name": name, "port": port}


@pytest.mark.parametrize(
    ("limits", "workers"),
    [({}, "2"), ({"cpu": "500m"}, "1"), ({"cpu": 4}, "4"), ({"cpu": "2500m"}, "3")],
)
def test_workers_follow_the_cpu_limit(limits: dict[str, Any], workers: str) -> None:
    """As many threads as CPUs that may be used."""
    assert option("--concurrency", resources={"limits": limits}) == workers


def test_a_new_bootstrap_makes_new_pods() -> None:
    """Envoy reads it once."""
    other = GatewaySettings(SETTINGS.image, None, "elsewhere", 1, SETTINGS.xds_ca)

    hashes = {
        template(settings)["metadata"]["annotations"][labels.BOOTSTRAP_HASH]
        for settings in (SETTINGS, other)
    }

    assert len(hashes) == 2


def test_another_ca_makes_no_new_pods() -> None:
    """Envoy reads it again, so proxies trust a new CA without a rollout."""
    other = replace(SETTINGS, xds_ca="another")

    assert template(SETTINGS) == template(other)
    assert files(SETTINGS) | {"xds-ca.crt": "another"} == files(other)


def test_an_own_image_has_its_own_pull_policy() -> None:
    """The operator's policy is about the operator's image."""
    settings = GatewaySettings("localhost/envoy:dev", "Never", "x", 1, "")

    assert pod_spec(settings)["containers"][0]["imagePullPolicy"] == "Never"
    assert "imagePullPolicy" not in pod_spec(settings, image="envoy:1")["containers"][0]


def test_time_to_leave() -> None:
    """The kubelet waits for the script, and Envoy counts with the same time."""
    drain = {"delay": "7s", "timeout": "1500ms"}

    assert pod_spec(drain=drain)["terminationGracePeriodSeconds"] == 7 + 2 + 5
    assert option("--drain-time-s", drain=drain) == "2"


def test_no_time_to_leave_is_no_drain() -> None:
    """Both times at 0 turn it off."""
    off = {"delay": "0s", "timeout": "0s"}

    assert "lifecycle" not in pod_spec(drain=off)["containers"][0]
    assert "lifecycle" in pod_spec(drain={"timeout": "0s"})["containers"][0]


def test_services_and_gateways_of_a_name_do_not_meet() -> None:
    """Objects and pods of a GrpcService and a GrpcGateway of the same name are apart."""
    ours = build(gateway(replicas=2), SETTINGS)
    theirs = build_service(service(replicas=2).model_copy(update={"metadata": gateway().metadata}))

    assert not {(m["kind"], m["metadata"]["name"]) for m in ours} & {
        (m["kind"], m["metadata"]["name"]) for m in theirs
    }
    assert not labels.service_selector("x").keys() & labels.of_gateway("x").keys()
    assert not labels.gateway_selector("x").keys() & labels.of_service("x").keys()


@pytest.mark.parametrize(
    ("listeners", "problem"),
    [
        (
            [listener("a", 80), listener("b", 10080)],
            "spec.listeners[1].port: proxies listen on 10080",
        ),
        ([listener("a", 19000)], "spec.listeners[0].port: 19000 is for Envoy's admin interface"),
        ([listener("a", 19003)], "spec.listeners[0].port: 19003 is for readiness and metrics"),
        ([listener("metrics", 80)], "spec.listeners[0].name: metrics is the name of the port"),
        ([listener("admin", 80)], "spec.listeners[0].name: admin is Envoy's name for"),
    ],
)
def test_listeners_that_cannot_be(listeners: list[dict[str, Any]], problem: str) -> None:
    """The message names the listener and the way out."""
    text = refusal(listeners=listeners)

    assert problem in text
    assert "use another" in text


@pytest.mark.parametrize(
    ("pod", "problem"),
    [
        ({"containers": [{"name": "envoy", "image": "x"}]}, "image: cannot be set here: use spec"),
        ({"containers": [{"name": "envoy", "command": ["x"]}]}, "command: cannot be set here"),
        (
            {"containers": [{"name": "envoy", "env": [{"name": "POD_NAME", "value": "x"}]}]},
            "env[0].name: is set by the operator",
        ),
        (
            {
                "containers": [
                    {"name": "envoy", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}
                ]
            },
            "use spec.drain.delay",
        ),
        (
            {"containers": [{"name": "log", "image": "x", "ports": [{"containerPort": 10080}]}]},
            "ports[0].containerPort: 10080 is spec.listeners[0].port",
        ),
        ({"volumes": [{"name": "bootstrap", "emptyDir": {}}]}, "volumes[0].name: is a volume of"),
        ({"terminationGracePeriodSeconds": 1}, "use spec.drain"),
        ({"containers": [{"name": "grpc"}]}, "only the container named envoy gets spec.image"),
    ],
)
def test_overlays_that_cannot_be(pod: dict[str, Any], problem: str) -> None:
    """What the operator answers for stays the operator's."""
    assert problem in refusal(podTemplate={"spec": pod})


def test_the_gateway_label_is_reserved_on_services_too() -> None:
    """A pod with it would get the gateway's calls."""
    overlay = {"metadata": {"labels": {labels.GATEWAY: "default"}}}

    with pytest.raises(InvalidSpecError, match=r"labels\[grpc.infera.dev/gateway\]"):
        build_service(service(podTemplate=overlay))


def test_an_overlay_adds() -> None:
    """Everything else is the user's."""
    pod = pod_spec(
        podTemplate={
            "spec": {
                "nodeSelector": {"pool": "edge"},
                "containers": [
                    {"name": "envoy", "env": [{"name": "TZ", "value": "UTC"}]},
                    {"name": "log", "image": "x"},
                ],
            }
        }
    )

    assert pod["nodeSelector"] == {"pool": "edge"}
    assert [container["name"] for container in pod["containers"]] == [names.ENVOY, "log"]
    assert {"name": "TZ", "value": "UTC"} in pod["containers"][0]["env"]
