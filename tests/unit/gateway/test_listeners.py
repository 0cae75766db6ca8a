"""The listener: what it trusts, what it speaks, what it logs."""

from typing import Any

import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from google.protobuf.json_format import MessageToDict
from xds.type.v3 import typed_struct_pb2

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir, listeners
from grpc_operator.gateway.hosts import VALID_HOSTNAME
from grpc_operator.gateway.snapshot import LISTENER
from tests.unit.gateway import GATEWAY, message, snapshot_of


def listener(**fields: Any) -> Any:
    """Returns the listener of a gateway with other fields."""
    gateway = ir.GatewayIr(**{**vars(GATEWAY), **fields})
    (resource,) = snapshot_of(gateway=gateway).resources[LISTENER].values()
    return message(resource, listener_pb2.Listener)


def manager(of: Any) -> Any:
    """Returns its connection manager."""
    made = hcm.HttpConnectionManager()
    assert of.filter_chains[0].filters[-1].typed_config.Unpack(made)
    return made


def test_https_has_the_certificate_that_the_proxy_finds() -> None:
    """By SDS from a file, so that a renewed one is used without a restart."""
    of = listener(listeners=(ir.Listener("https", 10443, tls=True),))
    context = tls_pb2.DownstreamTlsContext()
    assert of.filter_chains[0].transport_socket.typed_config.Unpack(context)

    (secret,) = context.common_tls_context.tls_certificate_sds_secret_configs
    assert secret.name == names.sds_secret("https")
    assert secret.sds_config.path_config_source.path == names.sds_path("https")
    assert list(context.common_tls_context.alpn_protocols) == ["h2", "http/1.1"]


def test_http_is_plain() -> None:
    """No transport socket at all."""
    assert not listener().filter_chains[0].HasField("transport_socket")


def test_clients_cannot_choose_their_scope_or_say_what_envoy_says() -> None:
    """Their headers are gone before a route is selected: the module knows its listener."""
    (extension,) = manager(listener()).early_header_mutation_extensions
    given = typed_struct_pb2.TypedStruct()
    assert extension.typed_config.Unpack(given)

    assert given.type_url.endswith(".DynamicModuleEarlyHeaderMutation")
    assert MessageToDict(given.value) == {
        "dynamic_module_config": {"name": "grpc_operator"},
        "early_header_mutation_name": "request_headers",
        "early_header_mutation_config": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": "http",
        },
    }


def test_the_access_log_is_json_without_the_probes() -> None:
    """Text could be forged; and a log that had the probe's host would give it away."""
    _, log = manager(listener()).access_log
    written = MessageToDict(log.typed_config)["logFormat"]

    assert set(written) == {"jsonFormat"}
    assert {"grpc_status", "grpc_method", "authority", "response_code", "duration_ms"} < set(
        written["jsonFormat"]
    )
    no_probe = log.filter.header_filter.header
    assert no_probe.string_match.exact == GATEWAY.probe_host
    assert no_probe.invert_match


def test_no_access_log_when_it_is_disabled() -> None:
    """Not one that is empty; what counts calls is one for Envoy."""
    (counting,) = manager(listener(access_log=False)).access_log
    assert counting.name == "envoy.access_loggers.stats"


def test_every_listener_that_envoy_must_not_get_is_named() -> None:
    """Whatever CRD is installed: by the path of its field, all of them at once."""
    gateway = GrpcGateway.parse(
        {
            "metadata": {
                "namespace": "ns",
                "name": "default",
                "uid": "uid",
                "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {
                "listeners": [
                    {"name": "http", "port": 80, "hostname": "BAD_Host"},
                    {"name": "good", "port": 81, "hostname": "*.example.com"},
                    {"name": "other", "port": 82, "hostname": "a..b"},
                ]
            },
        }
    )
    what = f"is not a valid {VALID_HOSTNAME}"
    expected = [
        f"spec.listeners[0].hostname: 'BAD_Host' {what}",
        f"spec.listeners[2].hostname: 'a..b' {what}",
    ]

    assert [str(each) for each in listeners.problems(gateway.spec)] == expected
    with pytest.raises(InvalidSpecError) as caught:
        listeners.gateway_ir(gateway, "cluster.local")
    assert [str(each) for each in caught.value.problems] == expected


def test_a_name_that_envoy_would_interpret_is_refused() -> None:
    """It stands in the format of a header, where a percent sign begins a command."""
    with pytest.raises(InvalidSpecError, match=r"^name: '%PATH%' is not a valid DNS label"):
        ir.Listener("%PATH%", 10080)
