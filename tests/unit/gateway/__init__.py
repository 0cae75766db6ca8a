"""Tests of ``grpc_operator.gateway``: services and descriptors made by hand."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from grpc_operator.api import GrpcGatewaySpec, GrpcService
from grpc_operator.descriptor.model import Binding, Descriptor, Kind, Method, Service
from grpc_operator.gateway import ir
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.listeners import client_traffic
from grpc_operator.gateway.snapshot import ROUTES, Resource, Snapshot
from grpc_operator.resources import gateway_key
from tests import route_tables

GATEWAY = ir.GatewayIr(
    key=gateway_key("infra", "default"),
    listeners=(ir.Listener("http", 10080),),
    access_log=True,
    drain_seconds=30,
    probe_host="probe.invalid",
    hosts=ir.HostPolicy(
        gateway_key("infra", "default"),
        "grpc.internal",
        grants=(ir.Grant("*", frozenset({"shop", "one", "two"})),),
        own_names=("default-envoy.infra.svc",),
    ),
    client_traffic=client_traffic(GrpcGatewaySpec()),
)


def service(
    gateway: dict[str, Any],
    *,
    name: str = "users",
    namespace: str = "shop",
    created: str = "2026-01-01T00:00:00Z",
    services: list[str] | None = None,
) -> GrpcService:
    """Returns a GrpcService with this ``spec.gateway``, as in YAML; on every host if unset."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": "1",
        "generation": 1,
        "creationTimestamp": created,
    }
    spec = {"image": "users:1", "gateway": {"hostnames": ["*"]} | gateway}
    if services is not None:
        spec["services"] = services
    return GrpcService.parse({"metadata": metadata, "spec": spec})


def binding(text: str) -> Binding:
    """Returns a binding written as ``GET /v1/users/*:verb``."""
    verb, _, template = text.partition(" ")
    path, _, custom = template.rpartition(":") if ":" in template else (template, "", "")
    return Binding(verb, template, tuple(path.removeprefix("/").split("/")), custom)


def method(name: str, *bindings: str, kind: Kind = "Unary", idempotent: bool = False) -> Method:
    """Returns a method."""
    return Method(name, kind, idempotent, tuple(binding(text) for text in bindings))


def descriptor(services: Mapping[str, Iterable[Method]]) -> Descriptor:
    """Returns a descriptor whose data is not a FileDescriptorSet, but different for each."""
    made = tuple(Service(name, tuple(methods)) for name, methods in sorted(services.items()))
    data = repr(made).encode()
    return Descriptor(data, hashlib.sha256(data).hexdigest(), made)


USERS = descriptor(
    {
        "user.v1.UserService": [
            method("GetUser", "GET /v1/users/*", idempotent=True),
            method("CreateUser", "POST /v1/users"),
            method("ListUsers", "GET /v1/users", kind="ServerStreaming"),
            method("SyncUsers", "POST /v1/users:sync", kind="Bidirectional"),
        ]
    }
)


def attached(
    gateway: dict[str, Any] | None = None, of: Descriptor = USERS, **kwargs: Any
) -> ir.Attachment:
    """Returns the attachment of a service."""
    return attach(service(gateway or {}, **kwargs), of, GATEWAY.hosts.domain)


def snapshot_of(*attachments: ir.Attachment, gateway: ir.GatewayIr = GATEWAY) -> Snapshot:
    """Returns what a new builder makes of them."""
    return SnapshotBuilder().build(gateway, attachments, {})[0]


def message(resource: Resource, kind: type[Message]) -> Any:
    """Returns the content of a resource."""
    made = kind()
    assert resource.body.Unpack(made)
    return made


def tables(snapshot: Snapshot) -> dict[str, Any]:
    """Returns every route table by name, with the routes of each virtual host as a list."""
    return {
        name: route_tables.table(resource) for name, resource in snapshot.resources[ROUTES].items()
    }
