"""A Terraform provider that has schemas and does nothing: enough for ``validate``.

OpenTofu connects to it instead of starting a provider of its own (``TF_REATTACH_PROVIDERS``), so
nothing is installed. The protocol is version 6 of Terraform's plugins, as OpenTofu's module has it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import grpc_tools
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_tools import protoc

from tests.terraform.schema import Schema

_SERVICE = "tfplugin6.Provider"
_PLUGIN = "plugin"
"""The name that go-plugin asks the health of."""
_SINGLE, _LIST = 1, 2
"""Values of ``Schema.NestedBlock.NestingMode``."""


@contextmanager
def serving(protocol: Path, providers: Mapping[str, Schema]) -> Iterator[dict[str, str]]:
    """Serves providers; yields the variables with which OpenTofu uses them.

    Args:
        protocol: The .proto file of the protocol.
        providers: Schemas by name.
    """
    pool = _pool(protocol)
    servers = []
    addresses = {}
    try:
        for name, schema in providers.items():
            server = grpc.server(
                ThreadPoolExecutor(2), options=[("grpc.max_send_message_length", -1)]
            )
            port = server.add_insecure_port("127.0.0.1:0")
            server.add_generic_rpc_handlers((_handlers(pool, schema),))
            checks = health.HealthServicer()
            checks.set(_PLUGIN, health_pb2.HealthCheckResponse.SERVING)
            health_pb2_grpc.add_HealthServicer_to_server(checks, server)
            server.start()
            servers.append(server)
            addresses[f"registry.opentofu.org/hashicorp/{name}"] = {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
            }
        yield {"TF_REATTACH_PROVIDERS": json.dumps(addresses)}
    finally:
        for server in servers:
            server.stop(None).wait()


def _handlers(pool: descriptor_pool.DescriptorPool, schema: Schema) -> grpc.GenericRpcHandler:
    """Returns what answers every method with an empty message, but for the schema."""
    methods = pool.FindServiceByName(_SERVICE).methods
    found: dict[str, Any] = {}
    for method in methods:
        answer = message_factory.GetMessageClass(method.output_type)()
        if method.name == "GetProviderSchema":
            _fill(answer, schema)
        if not method.client_streaming and not method.server_streaming:
            found[method.name] = grpc.unary_unary_rpc_method_handler(_always(answer))
    return grpc.method_handlers_generic_handler(_SERVICE, found)


def _always(answer: Message) -> Any:
    data = answer.SerializeToString()
    return lambda _request, _context: data


def _fill(answer: Any, schema: Schema) -> None:
    _block(answer.provider.block, schema["provider"])
    for kind, target in (
        ("resources", answer.resource_schemas),
        ("data_sources", answer.data_source_schemas),
    ):
        for name, each in schema[kind].items():
            _block(target[name].block, each)


def _block(message: Any, block: Schema) -> None:
    for each in block["attributes"]:
        message.attributes.add(
            name=each["name"],
            type=json.dumps(each["type"]).encode(),
            required=each["required"],
            optional=not each["required"] and not each["computed"],
            computed=not each["required"],
        )
    for each in block["blocks"]:
        single = each["name"] == "timeouts"
        nested = message.block_types.add(
            type_name=each["name"],
            nesting=_SINGLE if single else _LIST,
            min_items=int(each["required"]),
            max_items=0 if single else int(each["single"]),
        )
        _block(nested.block, each["block"])


def _pool(protocol: Path) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    with TemporaryDirectory() as folder:
        out = Path(folder, "set.pb")
        known = Path(grpc_tools.__file__).with_name("_proto")
        words = ["protoc", f"-I{protocol.parent}", f"-I{known}", "--include_imports"]
        if protoc.main([*words, f"--descriptor_set_out={out}", str(protocol)]):
            raise RuntimeError(f"protoc cannot compile {protocol}")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    for file in files:
        pool.Add(file)
    return pool
