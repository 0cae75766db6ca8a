"""``render`` prints what the operator applies."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grpc_operator import labels
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.cli import manifests, output
from grpc_operator.cli.rendering.proxies import settings as gateway_settings
from grpc_operator.desired import gateway as desired_gateway
from grpc_operator.desired import service as desired_service
from grpc_operator.desired.service import descriptor_config_map
from tests.golden import INPUT, cases
from tests.unit.cli import Ran, run

GOLDEN = Path(__file__).parents[3] / "golden" / "desired"


def rendered(
    path: Path, *objects: dict[str, Any], kind: str = "GrpcService"
) -> list[dict[str, Any]]:
    """Writes objects into a file, and returns what is rendered of it, read as Kubernetes would."""
    head = {"apiVersion": "grpc.infera.dev/v1alpha1", "kind": kind}
    path.write_text(output.yaml_text([head | each for each in objects]))
    ran = run("render", "-f", str(path), "-n", "shop")
    assert ran.code == 0, ran.err
    return [each.data for each in manifests.of_text(ran.out, "")]


@pytest.mark.parametrize("case", cases(GOLDEN / "service"))
def test_a_service_is_rendered_as_it_is_applied(case: str, tmp_path: Path) -> None:
    """Every golden case: with the uid that the API server has given it, nothing differs."""
    manifest = yaml.safe_load((GOLDEN / "service" / f"{case}{INPUT}").read_text())
    service = GrpcService.parse(manifest)
    applied = desired_service.build(
        service, account_is_allowed=service.spec.service_account_name is not None
    )

    found = rendered(tmp_path / "file.yaml", manifest)

    descriptor = descriptor_config_map.read(found[-1]) if len(found) > len(applied) else None
    assert found[: len(applied)] == applied
    assert (descriptor is not None) == (service.spec.descriptor.inline is not None)


@pytest.mark.parametrize("case", cases(GOLDEN / "gateway"))
def test_a_gateway_is_rendered_as_it_is_applied(case: str, tmp_path: Path) -> None:
    """Every golden case, by an operator that is installed with defaults."""
    manifest = yaml.safe_load((GOLDEN / "gateway" / f"{case}{INPUT}").read_text())
    applied = desired_gateway.build(GrpcGateway.parse(manifest), gateway_settings())

    found = rendered(tmp_path / "file.yaml", manifest, kind="GrpcGateway")

    assert found == applied


_NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)
_SPECS = st.fixed_dictionaries(
    {"image": st.from_regex(r"[a-z]{1,10}(/[a-z]{1,10})?:[a-z0-9]{1,8}", fullmatch=True)},
    optional={
        "replicas": st.integers(0, 50),
        "args": st.lists(_TEXT, max_size=4),
        "env": st.lists(
            st.fixed_dictionaries(
                {"name": st.from_regex(r"[A-Z_]{1,12}", fullmatch=True), "value": _TEXT}
            ),
            max_size=4,
            unique_by=lambda each: each["name"],
        ),
        "drain": st.fixed_dictionaries({"timeout": st.sampled_from(["5s", "30s", "2m"])}),
        "resources": st.fixed_dictionaries(
            {"requests": st.fixed_dictionaries({"cpu": st.sampled_from(["50m", "1"])})}
        ),
        "autoscaling": st.fixed_dictionaries(
            {"minReplicas": st.integers(1, 3), "maxReplicas": st.integers(3, 9)}
        ),
        "rollout": st.fixed_dictionaries({"strategy": st.sampled_from(["Canary", "BlueGreen"])}),
        "podTemplate": st.fixed_dictionaries(
            {"metadata": st.fixed_dictionaries({"annotations": st.dictionaries(_NAMES, _TEXT)})}
        ),
    },
)


_SERVICES = st.lists(
    st.fixed_dictionaries(
        {
            "metadata": st.fixed_dictionaries(
                {"name": _NAMES, "namespace": _NAMES, "uid": _NAMES, "generation": st.just(1)}
            ),
            "spec": _SPECS,
        }
    ),
    min_size=20,
    max_size=20,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(services=_SERVICES)
def test_any_service_is_rendered_as_it_is_applied(
    tmp_path: Path, services: list[dict[str, Any]]
) -> None:
    """500 random specs: texts come through YAML and back as they were."""
    for each in services:
        if "autoscaling" in each["spec"]:
            each["spec"].pop("replicas", None)
            each["spec"]["resources"] = {"requests": {"cpu": "50m"}}
    applied = [
        manifest for each in services for manifest in desired_service.build(GrpcService.parse(each))
    ]

    found = rendered(tmp_path / "file.yaml", *services)

    assert found == applied


def test_without_a_uid_only_what_depends_on_it_is_absent(tmp_path: Path) -> None:
    """As in a file that somebody has written."""
    service = {"metadata": {"name": "users"}, "spec": {"image": "users:1"}}
    known = {**service, "metadata": {"name": "users", "uid": "1"}}

    found = rendered(tmp_path / "a.yaml", service)
    applied = rendered(tmp_path / "b.yaml", known)

    for each in applied:
        del each["metadata"]["ownerReferences"]
        del each["metadata"]["annotations"][labels.APPLIED_HASH]
        if not each["metadata"]["annotations"]:
            del each["metadata"]["annotations"]
    assert found == applied
    assert {each["metadata"]["namespace"] for each in found} == {"shop"}


SERVICE = """\
apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcService
metadata: {name: users}
spec:
  image: users:1
"""


def refused(tmp_path: Path, text: str, *more: str) -> Ran:
    """Renders what cannot be."""
    path = tmp_path / "file.yaml"
    path.write_text(text)
    ran = run("render", "-f", str(path), *more)
    assert ran.code == 2
    assert ran.out == ""
    return ran


def test_what_the_operator_refuses_has_a_line(tmp_path: Path) -> None:
    """Each problem has its own."""
    text = SERVICE + "  podTemplate:\n    spec:\n      hostNetwork: true\n      hostPID: true\n"

    ran = refused(tmp_path, text)

    assert "file.yaml:8: spec.podTemplate.spec.hostNetwork: " in ran.err
    assert "file.yaml:9: spec.podTemplate.spec.hostPID: " in ran.err


def test_a_descriptor_is_for_one_service(tmp_path: Path) -> None:
    """It would be wrong for the others."""
    ran = refused(tmp_path, f"{SERVICE}---\n{SERVICE}", "--descriptor", "any.pb")

    assert "file.yaml:7: --descriptor is for one GrpcService, and there are 2" in ran.err


def test_a_file_without_our_objects_is_an_error(tmp_path: Path) -> None:
    """An empty result would say that nothing is applied."""
    assert "no GrpcService" in refused(tmp_path, "kind: Pod\n").err


def test_an_absent_descriptor_is_said(tmp_path: Path) -> None:
    """Only a running pod has it."""
    path = tmp_path / "file.yaml"
    path.write_text(SERVICE + "  gateway: {}\n")

    ran = run("render", "-f", str(path), "-o", "name")

    assert ran.code == 0
    assert "configmap/users-grpc-client" in ran.out
    assert "ConfigMap users-grpc-descriptor is left out" in ran.err
