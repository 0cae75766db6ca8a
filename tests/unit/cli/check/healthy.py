"""A cluster in which nothing is wrong: an operator, a gateway, and the service ``users``."""

import base64
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from grpc_operator import __version__
from grpc_operator.api.crd import grpc_gateway_crd, grpc_service_crd
from grpc_operator.cli.protos import compiled
from tests.unit.cli.call.conftest import PROTO
from tests.unit.cli.check.api import Json

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OURS = "/apis/grpc.infera.dev/v1alpha1/namespaces"
APPS = "/apis/apps/v1/namespaces"
CORE = "/api/v1/namespaces"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/operators/leases/grpc-operator"
OPERATOR = f"{APPS}/operators/deployments/grpc-operator"
GATEWAY = f"{OURS}/operators/grpcgateways/default"
SERVICE = f"{OURS}/shop/grpcservices/users"
POD = f"{CORE}/shop/pods/users-1"
PROXY = f"{CORE}/operators/pods/default-envoy-1"
DESCRIPTOR = f"{CORE}/shop/configmaps/users-grpc-descriptor"
SERVED = "things.v1.Things"
RULE = "GET /v1/{name=things/*}"


def objects() -> dict[str, Json]:
    """Returns every object by its path."""
    found = {
        "/version": {"gitVersion": "v1.34.1"},
        OPERATOR: _operator(),
        LEASE: _named("operators", "grpc-operator", spec=_lease()),
        GATEWAY: _gateway(),
        PROXY: _pod("operators", "default-envoy-1", {"grpc.infera.dev/gateway": "default"}),
        SERVICE: _service(),
        POD: _pod("shop", "users-1", {"grpc.infera.dev/service": "users"}),
        DESCRIPTOR: _named("shop", "users-grpc-descriptor", binaryData=_descriptor()),
    }
    for crd in (grpc_service_crd(), grpc_gateway_crd()):
        conditions = [{"type": "Established", "status": "True"}]
        found[f"{CRDS}/{crd['metadata']['name']}"] = {**crd, "status": {"conditions": conditions}}
    return deepcopy(found)


def conditions(**of: str) -> list[Json]:
    """Returns conditions by type; a value ``REASON: MESSAGE`` makes one false."""
    found = []
    for kind, text in of.items():
        reason, _, message = text.partition(": ")
        status = "True" if not text else "False"
        found.append({"type": kind, "status": status, "reason": reason, "message": message})
    return found


def waiting(pod: Json, reason: str, message: str = "") -> None:
    """Has the container of a pod wait."""
    status = pod["status"]
    status["conditions"] = [{"type": "Ready", "status": "False"}]
    state = {"waiting": {"reason": reason, "message": message}}
    status["containerStatuses"] = [
        {**status["containerStatuses"][0], "state": state, "ready": False}
    ]


def _named(namespace: str, name: str, **more: Any) -> Json:
    metadata = {"namespace": namespace, "name": name, "uid": name, "generation": 1}
    return {"metadata": metadata, **more}


def _lease() -> Json:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"holderIdentity": "grpc-operator-1", "renewTime": now, "leaseDurationSeconds": 10}


def _operator() -> Json:
    env = [{"name": "GRPC_OPERATOR_LEASE_NAME", "value": "grpc-operator"}]
    container = {"name": "operator", "image": "grpc-operator", "env": env}
    labels = {"app.kubernetes.io/component": "operator", "app.kubernetes.io/version": __version__}
    found = _named(
        "operators",
        "grpc-operator",
        spec={
            "replicas": 2,
            "selector": {"matchLabels": {"app": "grpc-operator"}},
            "template": {
                "spec": {"serviceAccountName": "grpc-operator", "containers": [container]}
            },
        },
        status={"availableReplicas": 2},
    )
    found["metadata"]["labels"] = labels
    return found


def _gateway() -> Json:
    status = {
        "observedGeneration": 1,
        "readyReplicas": 1,
        "proxies": 1,
        "conditions": conditions(Accepted="", Programmed="", Ready=""),
    }
    spec = {"replicas": 1, "listeners": [{"name": "http", "port": 80}]}
    return _named("operators", "default", kind="GrpcGateway", spec=spec, status=status)


def _service() -> Json:
    host = "localhost"
    methods = [{"name": "GetThing", "kind": "Unary", "rest": [RULE]}]
    status = {
        "observedGeneration": 1,
        "conditions": conditions(Accepted="", ResolvedRefs="", Ready=""),
        "gateway": "operators/default",
        "hosts": [host],
        "services": [{"name": SERVED, "methods": methods}],
        "urls": [
            {"protocol": "GRPC", "url": f"dns:///{host}:80"},
            {"protocol": "GRPCWeb", "url": f"http://{host}"},
            {"protocol": "REST", "url": f"http://{host}"},
        ],
    }
    spec = {"image": "users:1", "port": 50051, "gateway": {}}
    return _named("shop", "users", kind="GrpcService", spec=spec, status=status)


def _pod(namespace: str, name: str, labels: dict[str, str]) -> Json:
    started = "2026-01-01T00:00:00Z"
    container = {
        "name": "grpc",
        "image": "users:1",
        "readinessProbe": {"grpc": {"port": 50051, "service": SERVED}},
    }
    status = {
        "phase": "Running",
        "podIP": "10.0.0.7",
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": started},
            {"type": "Ready", "status": "True"},
        ],
        "containerStatuses": [
            {
                "name": "grpc",
                "image": "users:1",
                "ready": True,
                "started": True,
                "state": {"running": {"startedAt": started}},
            }
        ],
    }
    found = _named(
        namespace, name, spec={"nodeName": "n", "containers": [container]}, status=status
    )
    found["metadata"] |= {"labels": labels, "creationTimestamp": started}
    return found


def _descriptor() -> Json:
    data = compiled([PROTO], [PROTO.parent])
    return {"descriptor.pb": base64.b64encode(data).decode()}
