"""The largest objects that are accepted, of several kinds, found by bisection; and refused ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from grpc_operator.api import GrpcGatewaySpec, GrpcService
from grpc_operator.descriptor import load
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.gateway import cost, ir
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.budget_accounts import Limits
from grpc_operator.resources import GRPC_SERVICES, Key, Manifest, service_key

ATTACKER = "attacker"
"""The namespace of the objects."""

_LISTENER = ir.Listener("http", 10080)
_HOSTS = [f"h{number}.example.com" for number in range(16)]
_LONG = [f"https://*.{'o' * 200}.{number}.com" for number in range(32)]


@dataclass(frozen=True)
class Kind:
    """A kind of large object.

    Attributes:
        gateway: Its ``spec.gateway``.
        make: Makes its FileDescriptorSet from a size.
        most: The largest size to try.
    """

    name: str
    gateway: dict[str, Any]
    make: Callable[[int], bytes]
    most: int


def methods(size: int, *paths: str, package: str = "p") -> bytes:
    """Returns a set with as many methods, 256 a gRPC service, with these paths each."""
    file = FileDescriptorProto(
        name="a.proto",
        package=package,
        syntax="proto3",
        dependency=["google/api/annotations.proto"],
    )
    file.message_type.add(name="M")
    for number in range(size):
        if number % 256 == 0:
            service = file.service.add(name=f"S{number // 256}")
        method = service.method.add(
            name=f"M{number}", input_type=f".{package}.M", output_type=f".{package}.M"
        )
        rule = method.options.Extensions[annotations_pb2.http]
        for index, path in enumerate(paths):
            each = rule if index == 0 else rule.additional_bindings.add()
            each.get = path.replace("N", f"{number:x}").replace("I", f"{index:x}")
    made = FileDescriptorSet()
    for known in (descriptor_pb2.DESCRIPTOR, http_pb2.DESCRIPTOR, annotations_pb2.DESCRIPTOR):
        known.CopyToProto(made.file.add())
    made.file.append(file)
    return made.SerializeToString()


def messages(size: int) -> bytes:
    """Returns a set with as many messages, each a field of another one."""
    file = FileDescriptorProto(name="a.proto", package="p", syntax="proto3")
    for number in range(size):
        message = file.message_type.add(name=f"M{number}")
        if number:
            message.field.add(name="a", number=1, type=11, label=1, type_name=f".p.M{number - 1}")
    last = f".p.M{size - 1}"
    file.service.add(name="S").method.add(name="M", input_type=last, output_type=last)
    return FileDescriptorSet(file=[file]).SerializeToString()


REST = {"protocols": ["REST"]}
KINDS = (
    Kind("methods", {"protocols": ["GRPC", "GRPCWeb"]}, methods, 8000),
    Kind("methods at 16 hosts", {"hostnames": _HOSTS}, lambda n: methods(n, "/v1/N"), 8000),
    Kind("route tables", REST, lambda n: methods(n, *["/I-N"] * 16), 1500),
    Kind("REST paths", REST, lambda n: methods(n, *["/v1/*/I-N"] * 16), 1500),
    Kind("CORS", {"cors": {"allowOrigins": _LONG}}, lambda n: methods(n, "/v1/N"), 8000),
    Kind("descriptor", {"protocols": ["GRPC"]}, messages, 20_000),
)
REFUSED = Kind("refused", {"hostnames": _HOSTS}, lambda n: methods(n, *["/v1/I-N"] * 16), 512)


def service(kind: Kind, name: str, generation: int) -> Manifest:
    """Returns a GrpcService of a kind, of the namespace of the attacker."""
    key = service_key(ATTACKER, name)
    gateway = {**kind.gateway, "gatewayRef": {"name": "default", "namespace": "infra"}}
    return owner(key, {"image": "a", "gateway": gateway}, generation)


def largest(kind: Kind) -> tuple[int, bytes]:
    """Returns the largest size that is accepted, and its pruned descriptor."""
    most = Limits.of(GrpcGatewaySpec()).service

    def fits(size: int) -> bool:
        parsed = GrpcService.parse(service(kind, "a", 1))
        try:
            attachment = attach(parsed, load(kind.make(size)), "bench.internal")
        except Exception:  # noqa: BLE001 - whatever it exceeds
            return False
        return cost.of([_LISTENER], attachment).memory <= most

    low, high = 1, kind.most
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low, load(kind.make(low)).data


def config_map(of: Manifest, data: bytes) -> Manifest:
    """Returns the ConfigMap with the descriptor of a service."""
    revision = str(of["metadata"]["generation"])
    made = descriptor_config_map.build(GrpcService.parse(of), Pinned(data, "Inline", revision))
    made["metadata"] |= {"uid": made["metadata"]["name"], "resourceVersion": revision}
    return made


def owner(key: Key, spec: dict[str, Any], generation: int = 1) -> Manifest:
    """Returns a GrpcService or GrpcGateway as the API server returns it."""
    return {
        "apiVersion": GRPC_SERVICES.api_version,
        "kind": key.kind,
        "metadata": {
            "namespace": key.namespace,
            "name": key.name,
            "uid": key.namespaced_name,
            "generation": generation,
            "resourceVersion": str(generation),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec,
    }
