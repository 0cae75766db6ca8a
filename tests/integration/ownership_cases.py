"""What happens to the children of a GrpcService, and what must have become of it.

Each case has a spec, something that others do once the GrpcService is Ready, and what must hold
from then on. ``test_ownership`` runs them all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from grpc_operator import labels
from grpc_operator.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    POD_DISRUPTION_BUDGETS,
    SERVICES,
    Manifest,
    Resource,
)
from tests.integration.api import ApiError
from tests.integration.space import Space

Action = Callable[[Space], object]
Check = Callable[[Space], object]


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        act: What others do.
        check: Fails with an AssertionError as long as the objects are not as they must be.
        spec: The GrpcService.
    """

    name: str
    act: Action
    check: Check
    spec: dict[str, Any] = field(default_factory=dict)


def edit(resource: Resource, name: str, change: Manifest) -> Action:
    """Changes an object as a hand on kubectl edit would."""
    return lambda space: space.edit(resource, name, change)


def expect(resource: Resource, name: str, path: str, value: Any) -> Check:
    """Expects a value of an object; ``None`` for a field that does not exist."""

    def check(space: Space) -> None:
        found: Any = space.get(resource, name)
        for key in path.split("."):
            found = _child(found, key)
        assert found == value, (path, found)

    return check


def _child(value: Any, key: str) -> Any:
    """Returns a field or an item, if it exists."""
    if isinstance(value, list):
        return value[int(key)] if int(key) < len(value) else None
    return value.get(key) if value else None


def all_of(*checks: Check) -> Check:
    """Expects all of it."""

    def check(space: Space) -> None:
        for each in checks:
            each(space)

    return check


def pod(change: Manifest) -> Manifest:
    """Returns a change of the Deployment's pod template."""
    return {"spec": {"template": {"spec": change}}}


def container(space: Space) -> Manifest:
    """Returns the gRPC container of the Deployment."""
    (found,) = (
        each
        for each in space.deployment()["spec"]["template"]["spec"]["containers"]
        if each["name"] == "grpc"
    )
    return dict(found)


def edit_container(**changes: Any) -> Action:
    """Changes fields of the gRPC container by hand; ``None`` removes one."""

    def act(space: Space) -> None:
        changed = container(space) | changes
        changed = {key: value for key, value in changed.items() if value is not None}
        others = [
            each
            for each in space.deployment()["spec"]["template"]["spec"]["containers"]
            if each["name"] != "grpc"
        ]
        space.edit(DEPLOYMENTS, "users", pod({"containers": [changed, *others]}))

    return act


def expect_container(**values: Any) -> Check:
    """Expects fields of the gRPC container."""

    def check(space: Space) -> None:
        live = container(space)
        assert {key: live.get(key) for key in values} == values

    return check


def apply_as(manager: str, resource: Resource, name: str, change: Manifest) -> Action:
    """Applies a part of an object by server-side apply as another field manager, with force."""

    def act(space: Space) -> None:
        metadata = {"name": name, "namespace": space.name, **change.get("metadata", {})}
        part = {"apiVersion": resource.api_version, "kind": resource.kind, **change}
        space.api.apply({**part, "metadata": metadata}, manager=manager)

    return act


def scale(replicas: int) -> Action:
    """Scales the Deployment by its scale subresource, as kubectl scale does."""
    return lambda space: space.api.patch(
        DEPLOYMENTS, space.name, "users", {"spec": {"replicas": replicas}}, sub="/scale"
    )


def restore_from_backup(space: Space, resource: Resource = SERVICES) -> None:
    """Deletes an object and creates it again as a backup tool does: without managed fields."""
    saved = space.get(resource, "users")
    space.delete(resource, "users")
    for volatile in ("managedFields", "resourceVersion", "uid", "creationTimestamp"):
        saved["metadata"].pop(volatile)
    saved.pop("status")
    try:
        space.api.create(resource, space.name, saved)
    except ApiError as error:
        # The operator may be faster; then there is nothing to restore.
        if error.status != HTTPStatus.CONFLICT:
            raise


def restore_deployment(space: Space) -> None:
    """Restores the Deployment from a backup."""
    restore_from_backup(space, DEPLOYMENTS)


def strip_managed_fields(space: Space) -> None:
    """Removes all ownership (Kubernetes docs, Server-Side Apply, "Clearing managedFields")."""
    space.edit(DEPLOYMENTS, "users", {"metadata": {"managedFields": [{}]}})


def _has_grpc_probe(space: Space) -> None:
    probe = container(space)["livenessProbe"]
    assert "grpc" in probe, probe
    assert "exec" not in probe, probe


def _has_label(space: Space, name: str, value: str) -> None:
    found = space.deployment()["metadata"]["labels"]
    assert found.get(name) == value, found


def _has_annotation(space: Space, name: str, value: str) -> None:
    found = space.deployment()["metadata"]["annotations"]
    assert found.get(name) == value, found


def _applied_hash_is_not(space: Space, value: str) -> None:
    found = space.deployment()["metadata"]["annotations"].get(labels.APPLIED_HASH)
    assert found not in {None, value}, found


def _targets_the_headless_service(space: Space) -> None:
    target = space.get(CONFIG_MAPS, "users-grpc-client")["data"]["GRPC_TARGET"]
    assert target.startswith("dns:///users-headless."), target


def _operator_owns(space: Space, spec_field: str) -> None:
    entries = space.deployment()["metadata"].get("managedFields") or []
    assert any(
        entry["manager"] == labels.FIELD_MANAGER
        and spec_field in entry["fieldsV1"].get("f:spec", {})
        for entry in entries
    ), entries


CPU = {"resources": {"requests": {"cpu": "1", "memory": "64Mi"}}}
DEADLINE = "spec.progressDeadlineSeconds"
SECCOMP = {"seccompProfile": {"type": "Localhost", "localhostProfile": "x.json"}}
ZEROES = {
    "hostNetwork": False,
    "dnsPolicy": "",
    "tolerations": [{"key": "a", "operator": "Exists", "effect": ""}],
    "volumes": [
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
    ],
    "containers": [
        {"name": "side", "image": "side:1", "ports": [{"containerPort": 80}], "tty": False}
    ],
}
"""An overlay of which the API server stores hardly anything as it is written."""

HAND_EDITS = [
    Case(
        "a Service that was made a load balancer",
        edit(
            SERVICES,
            "users",
            {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}},
        ),
        all_of(
            expect(SERVICES, "users", "spec.type", "ClusterIP"),
            expect(SERVICES, "users", "spec.loadBalancerSourceRanges", None),
        ),
    ),
    Case(
        "a Service that was made an external name",
        edit(SERVICES, "users", {"spec": {"type": "ExternalName", "externalName": "a.example"}}),
        all_of(
            expect(SERVICES, "users", "spec.type", "ClusterIP"),
            expect(SERVICES, "users", "spec.ports.0.port", 50051),
        ),
    ),
    Case(
        "a Service whose port has another number and a node port",
        edit(
            SERVICES,
            "users",
            {
                "spec": {
                    "type": "NodePort",
                    "ports": [{"name": "grpc", "port": 7, "protocol": "TCP"}],
                }
            },
        ),
        all_of(
            expect(SERVICES, "users", "spec.ports.0.port", 50051),
            expect(SERVICES, "users", "spec.ports.1", None),
            expect(SERVICES, "users", "spec.type", "ClusterIP"),
        ),
    ),
    Case(
        "a budget of the other kind",
        edit(
            POD_DISRUPTION_BUDGETS, "users", {"spec": {"minAvailable": 1, "maxUnavailable": None}}
        ),
        all_of(
            expect(POD_DISRUPTION_BUDGETS, "users", "spec.maxUnavailable", 1),
            expect(POD_DISRUPTION_BUDGETS, "users", "spec.minAvailable", None),
        ),
    ),
    Case(
        "a seccomp profile of the other kind",
        edit(DEPLOYMENTS, "users", pod({"securityContext": SECCOMP})),
        expect(
            DEPLOYMENTS,
            "users",
            "spec.template.spec.securityContext.seccompProfile",
            {"type": "RuntimeDefault"},
        ),
    ),
    Case(
        "a volume with another source",
        edit(
            DEPLOYMENTS,
            "users",
            pod({"volumes": [{"name": "tmp", "hostPath": {"path": "/var/tmp"}}]}),  # noqa: S108
        ),
        all_of(
            expect(DEPLOYMENTS, "users", "spec.template.spec.volumes.0.hostPath", None),
            expect(
                DEPLOYMENTS, "users", "spec.template.spec.volumes.0.emptyDir", {"sizeLimit": "1Gi"}
            ),
        ),
    ),
    Case(
        "a probe of another kind",
        edit_container(livenessProbe={"exec": {"command": ["true"]}}),
        _has_grpc_probe,
    ),
    Case(
        "a strategy without its parameters",
        edit(
            DEPLOYMENTS,
            "users",
            {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}},
        ),
        expect(DEPLOYMENTS, "users", "spec.strategy.rollingUpdate.maxUnavailable", 0),
    ),
    Case(
        "a container port with another number",
        edit_container(ports=[{"name": "grpc", "containerPort": 7, "protocol": "TCP"}]),
        expect_container(ports=[{"name": "grpc", "containerPort": 50051, "protocol": "TCP"}]),
    ),
    Case(
        "an argument that was added to an atomic list",
        edit_container(args=["--a", "--b", "--by-hand"]),
        expect_container(args=["--a", "--b"]),
        {"args": ["--a", "--b"]},
    ),
    Case(
        "a command that was removed",
        edit_container(command=None),
        expect_container(command=["/server"]),
        {"command": ["/server"]},
    ),
    Case(
        "a toleration that was added to the overlay's",
        edit(
            DEPLOYMENTS,
            "users",
            pod({"tolerations": [{"key": "a", "operator": "Exists"}, {"operator": "Exists"}]}),
        ),
        expect(DEPLOYMENTS, "users", "spec.template.spec.tolerations.1", None),
        {"podTemplate": {"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}}},
    ),
    Case(
        "a quantity in another spelling",
        edit_container(resources={"requests": {"cpu": "1000m", "memory": "65536Ki"}}),
        expect_container(resources={"requests": {"cpu": "1", "memory": "64Mi"}}),
        CPU,
    ),
    Case(
        "another quantity",
        edit_container(resources={"requests": {"cpu": "2", "memory": "64Mi"}}),
        expect_container(resources={"requests": {"cpu": "1", "memory": "64Mi"}}),
        CPU,
    ),
    Case(
        "a label that was removed, beside one that was added",
        edit(
            DEPLOYMENTS, "users", {"metadata": {"labels": {labels.NAME: None, "team": "payments"}}}
        ),
        all_of(
            lambda space: _has_label(space, labels.NAME, "users"),
            lambda space: _has_label(space, "team", "payments"),
        ),
    ),
    Case(
        "an applied hash that was changed",
        edit(DEPLOYMENTS, "users", {"metadata": {"annotations": {labels.APPLIED_HASH: "0"}}}),
        lambda space: _applied_hash_is_not(space, "0"),
    ),
    Case(
        "replicas that were scaled",
        scale(5),
        expect(DEPLOYMENTS, "users", "spec.replicas", 2),
    ),
    Case(
        "a ConfigMap that was made immutable, with other data",
        edit(CONFIG_MAPS, "users-grpc-client", {"immutable": True, "data": {"GRPC_TARGET": "x"}}),
        all_of(
            expect(CONFIG_MAPS, "users-grpc-client", "immutable", None),
            _targets_the_headless_service,
        ),
    ),
]

OTHERS = [
    Case(
        "another manager that applies the same value",
        apply_as("gitops", DEPLOYMENTS, "users", {"spec": {"progressDeadlineSeconds": 420}}),
        expect(DEPLOYMENTS, "users", DEADLINE, 420),
    ),
    Case(
        "another manager that applies another value",
        apply_as("gitops", DEPLOYMENTS, "users", {"spec": {"progressDeadlineSeconds": 7}}),
        expect(DEPLOYMENTS, "users", DEADLINE, 420),
    ),
    Case(
        "another manager's annotation",
        apply_as("mesh", DEPLOYMENTS, "users", {"metadata": {"annotations": {"mesh.io/in": "1"}}}),
        lambda space: _has_annotation(space, "mesh.io/in", "1"),
    ),
    Case(
        "a variable that was added to the container",
        edit_container(
            env=[{"name": "GRPC_DRAIN_SECONDS", "value": "30"}, {"name": "DEBUG", "value": "1"}]
        ),
        expect_container(
            env=[{"name": "GRPC_DRAIN_SECONDS", "value": "30"}, {"name": "DEBUG", "value": "1"}]
        ),
    ),
    Case(
        "an autoscaler's replicas",
        scale(4),
        expect(DEPLOYMENTS, "users", "spec.replicas", 4),
        {
            "resources": {"requests": {"cpu": "1"}},
            "autoscaling": {"minReplicas": 2, "maxReplicas": 5},
        },
    ),
    Case(
        "managed fields that were removed",
        strip_managed_fields,
        lambda space: _operator_owns(space, "f:progressDeadlineSeconds"),
    ),
    Case(
        "an object from a backup",
        restore_from_backup,
        expect(SERVICES, "users", "spec.type", "ClusterIP"),
    ),
    Case(
        "fields that the API server fills in or leaves out",
        lambda _: None,
        expect(DEPLOYMENTS, "users", "spec.template.spec.hostNetwork", None),
        {"podTemplate": {"spec": ZEROES}},
    ),
]
