"""Envoy loads what comes out, in one run of ``envoy --mode validate``."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from envoy.extensions.filters.http.grpc_json_transcoder.v3 import transcoder_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from grpc_operator import limits
from grpc_operator.descriptor import Descriptor, load, with_bindings
from tests.envoy.envoy import binary
from tests.unit.descriptor import by_hand, message, one_file, serialised, users
from tests.unit.descriptor.test_http_rule import SOURCE as BOUND
from tests.unit.descriptor.test_prune import proto2
from tests.unit.descriptor.test_served_rules import SOURCE as BODIES

_EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
_EDITION = """
edition = "{}";
package p;
option features.field_presence = IMPLICIT;
service S {{ rpc Do(M) returns (M); }}
message M {{ string id = 1; M child = 2 [features.message_encoding = DELIMITED]; }}
"""
_BINDINGS = BOUND.format(
    first="""post: "/v1/{inner.deeper.leaf}/{at}/{user_id=a/**}:move" body: "inner"
             additional_bindings { custom: {kind: "HEAD", path: "/v1/%2F/{id=shelves/*}"} }""",
    second='get: "/v2/@a=b" response_body: "raw"',
)


def _nested() -> bytes:
    top = inner = message()
    path = "p.M"
    for number in range(limits.DESCRIPTOR_NESTING.value - 1):
        inner = inner.nested_type.add(name=f"N{number}")
        path += f".{inner.name}"
    top.field.append(message(x=f".{path}").field[0])
    return serialised(by_hand(top))


def _in_place_of_a_standard_file() -> bytes:
    return serialised(by_hand(message(), name="google/rpc/status.proto"))


SETS = [
    users().SerializeToString(),
    proto2(),
    one_file(_EDITION.format(2023)),
    one_file(_EDITION.format(2024)),
    one_file(_BINDINGS),
    one_file(BODIES),
    _nested(),
    _in_place_of_a_standard_file(),
]


def _transcoder(data: bytes, descriptor: Descriptor) -> Message:
    made: Message = transcoder_pb2.GrpcJsonTranscoder(
        proto_descriptor_bin=data,
        services=[service.name for service in descriptor.services],
        convert_grpc_status=True,
    )
    return made


def _configuration(transcoders: Iterable[Message]) -> dict[str, Any]:
    """Returns a static configuration in which each transcoder is on a virtual host."""
    name = "envoy.filters.http.grpc_json_transcoder"
    type_url = f"{_EXTENSIONS}.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"
    hosts = [
        {
            "name": f"host-{number}",
            "domains": [f"host-{number}"],
            "typed_per_filter_config": {
                name: {
                    "@type": type_url,
                    **MessageToDict(transcoder, preserving_proto_field_name=True),
                }
            },
        }
        for number, transcoder in enumerate(transcoders)
    ]
    manager = {
        "@type": f"{_EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [
            {"name": name, "typed_config": {"@type": type_url, "proto_descriptor_bin": ""}},
            {"name": "router", "typed_config": {"@type": f"{_EXTENSIONS}.http.router.v3.Router"}},
        ],
    }
    listener = {
        "name": "in",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener]}}


def _validated(file: Path, transcoders: Iterable[Message]) -> subprocess.CompletedProcess[str]:
    file.write_text(json.dumps(_configuration(transcoders)), encoding="utf-8")
    command = [str(binary()), "--mode", "validate", "-c", str(file), "--log-level", "warning"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.envoy
def test_envoy_loads_every_pruned_set(tmp_path: Path) -> None:
    """proto2, proto3, editions, nesting, bindings, as they are and written again."""
    loaded = [load(data) for data in SETS]
    transcoders = [_transcoder(each.data, each) for each in loaded]
    transcoders += [_transcoder(with_bindings(each.data, each.services), each) for each in loaded]

    good = _validated(tmp_path / "good.json", transcoders)
    bad = _validated(tmp_path / "bad.json", [_transcoder(loaded[1].data, loaded[0])])

    assert good.returncode == 0, good.stderr
    assert "Could not find 'user.v1.Other' in the proto descriptor" in bad.stderr
