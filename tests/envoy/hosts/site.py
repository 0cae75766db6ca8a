"""A gateway with grants in front of a real Envoy; services get what the leader would accept."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

from grpc_operator import descriptor
from grpc_operator.api import GrpcGatewaySpec, GrpcService
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.acceptance import NOTHING, Acceptance
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.listeners import client_traffic
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds.server import AdsServer
from tests.envoy.envoy import Envoy
from tests.envoy.hosts.cells import DOMAIN, GATEWAY, GRANTS, OWN_NAME, Api
from tests.waiting import until
from tests.xds_access import Named, tls

_KEY = gateway_key(GATEWAY, "default")
_ANY_PORT = 0
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING


def file_set(api: Api) -> bytes:
    """Returns the descriptor of a service with one method, which takes and gives its message."""
    package, _, name = api.service.partition(".")
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{api.service}.proto",
        package=package,
        syntax="proto3",
        dependency=["google/api/annotations.proto"],
    )
    message = file.message_type.add(name="M")
    for number, field_name in enumerate(("by", "id"), 1):
        message.field.add(name=field_name, number=number, type=_STRING, label=1)
    service = file.service.add(name=name)
    method = service.method.add(name="Get", input_type=f".{package}.M", output_type=f".{package}.M")
    rule = http_pb2.HttpRule(**{api.verb.lower(): api.path})
    method.options.Extensions[annotations_pb2.http].CopyFrom(rule)
    found = [descriptor_pb2.FileDescriptorProto() for _ in range(3)]
    annotations = annotations_pb2.DESCRIPTOR
    for each, known in zip(found, [*annotations.dependencies, annotations], strict=True):
        known.CopyToProto(each)
    return descriptor_pb2.FileDescriptorSet(file=[*found, file]).SerializeToString()


@dataclass
class Site:
    """The gateway.

    Attributes:
        ports: Port of a server on loopback, by namespace.
        port: The listener's, on loopback.
        problems: What each service does not get, and why.
    """

    envoy: Envoy
    ads: AdsServer
    ports: Mapping[str, int]
    port: int = 0
    problems: dict[Key, list[str]] = field(default_factory=dict)
    _services: dict[Key, tuple[GrpcService, descriptor.Descriptor]] = field(default_factory=dict)
    _statuses: dict[Key, dict[str, Any]] = field(default_factory=dict)
    _builder: SnapshotBuilder = field(default_factory=SnapshotBuilder)
    _now: datetime = _BEGIN

    def apply(self, namespace: str, name: str, api: Api, hostnames: list[str] | None) -> None:
        """Creates or edits a GrpcService."""
        key = service_key(namespace, name)
        self._now += timedelta(seconds=1)
        known = self._services.get(key)
        metadata = {
            "name": name,
            "namespace": namespace,
            "uid": name,
            "generation": 1,
            "creationTimestamp": f"{self._now:%Y-%m-%dT%H:%M:%SZ}"
            if known is None
            else known[0].metadata.creation_timestamp,
        }
        gateway: dict[str, Any] = {"rest": {"prefixes": [api.prefix]} if api.prefix else {}}
        if hostnames is not None:
            gateway["hostnames"] = hostnames
        service = GrpcService.parse(
            {"metadata": metadata, "spec": {"image": "none", "gateway": gateway}}
        )
        self._services[key] = service, descriptor.load(file_set(api), None)

    async def serve(self) -> None:
        """Publishes what there is, accepts it, and waits until Envoy has acknowledged it."""
        self._build()
        snapshot = self._build()
        self.ads.publish(_KEY, snapshot)

        async def acknowledged() -> bool:
            states = self.ads.proxies(_KEY)
            rejected = [state.rejected for state in states if state.rejected]
            assert not rejected, f"Envoy refuses the configuration: {rejected}"
            return [dict(state.config_hashes) for state in states] == [dict(snapshot.config_hashes)]

        await until(acknowledged, "Envoy has acknowledged the configuration")
        self.port = self.port or await self.envoy.port(str(_ANY_PORT))

    def restart(self) -> None:
        """Forgets what only the operator's memory has."""
        self._builder = SnapshotBuilder()

    def _build(self) -> Any:
        self.problems = {}
        attachments = list(self._attachments())
        accepted = {key: Acceptance.read(status, _KEY) for key, status in self._statuses.items()}
        endpoints = {
            each.cluster: (ir.Endpoint("127.0.0.1", self.ports[each.key.namespace]),)
            for each in attachments
        }
        snapshot, plan = self._builder.build(_gateway(), attachments, endpoints, accepted)
        for key, problems in plan.refused.items():
            self.problems.setdefault(key, []).extend(str(problem) for problem in problems)
        for key, denied in plan.denied.items():
            self.problems.setdefault(key, []).extend(text for _, text in denied)
        self._now += timedelta(seconds=1)
        for key, served in plan.services.items():
            before = accepted.get(key, NOTHING)
            items = [item.digest for item in served.items]
            now = before.renewed(served.hosts, items, f"{self._now:%Y-%m-%dT%H:%M:%S.%fZ}")
            self._statuses[key] = {"claims": now.wire(_KEY)}
        return snapshot

    def _attachments(self) -> Iterable[ir.Attachment]:
        for key, (service, loaded) in self._services.items():
            try:
                yield attach(service, loaded, DOMAIN)
            except InvalidSpecError as error:
                self.problems[key] = [str(problem) for problem in error.problems]


def _gateway() -> ir.GatewayIr:
    grants = [ir.Grant(host, frozenset(names)) for host, names in sorted(GRANTS.items())]
    return ir.GatewayIr(
        key=_KEY,
        listeners=(ir.Listener("http", _ANY_PORT),),
        access_log=False,
        drain_seconds=5,
        probe_host="probe.invalid",
        client_traffic=client_traffic(GrpcGatewaySpec()),
        hosts=ir.HostPolicy(_KEY, DOMAIN, tuple(grants), (OWN_NAME,)),
    )


@asynccontextmanager
async def running_site(ports: Mapping[str, int]) -> AsyncIterator[Site]:
    """Starts an ADS server and an Envoy that serves nothing yet."""
    ads = AdsServer(lambda _gateway, _services: None, Named())
    port = await ads.start(0, tls(), "127.0.0.1")
    envoy = await Envoy.start(port, cluster=_KEY.namespaced_name)
    try:
        yield Site(envoy, ads, ports)
    finally:
        await envoy.stop()
        await ads.stop(0)
