"""The dynamic module of the proxies, before Envoy selects a route and as HTTP filters.

Before, it removes what no client may say, sets the header that selects the route table, and says
of which requests a server could not parse the metadata (docs/adr/0056). Its filters do what no
filter of Envoy does to requests by REST and gRPC-Web, and to their responses (docs/adr/0062). Its
source is in ``operator/proxy_module``.
"""

from typing import Literal

from envoy.config.core.v3 import extension_pb2
from envoy.extensions.dynamic_modules.v3 import dynamic_modules_pb2 as modules_pb2
from envoy.extensions.filters.http.dynamic_modules.v3 import dynamic_modules_pb2
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any
from google.protobuf.wrappers_pb2 import StringValue
from xds.type.v3 import typed_struct_pb2

from grpc_operator.gateway.envoy.protobuf import pack
from grpc_operator.gateway.ir import Listener

NAME = "grpc_operator"
"""Envoy loads ``libNAME.so`` from the folder that its environment names."""

Filter = Literal["grpc_web_requests", "rest_requests", "responses"]
RouteConfiguration = Literal["any_body", "largest_message", "paths"]

_EXTENSION = "envoy.http.early_header_mutation.dynamic_modules"
_EARLY_MUTATION = (
    "envoy.extensions.http.early_header_mutation.dynamic_modules.v3"
    ".DynamicModuleEarlyHeaderMutation"
)
_ON_ROUTE = "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute"
_STRING = "type.googleapis.com/google.protobuf.StringValue"
_MODULE = modules_pb2.DynamicModuleConfig(name=NAME)


def early_mutation(listener: Listener) -> extension_pb2.TypedExtensionConfig:
    """Returns what runs the module for each request of a listener."""
    config: dict[str, object] = {
        "dynamic_module_config": {"name": NAME},
        "early_header_mutation_name": "request_headers",
        "early_header_mutation_config": {"@type": _STRING, "value": listener.name},
    }
    return extension_pb2.TypedExtensionConfig(
        name=_EXTENSION, typed_config=_struct(_EARLY_MUTATION, config)
    )


def http_filter(name: Filter, config: str = "") -> dynamic_modules_pb2.DynamicModuleFilter:
    """Returns one of the module's HTTP filters.

    Args:
        name: Which one.
        config: For the responses: what the body of a response with 404 says.
    """
    return dynamic_modules_pb2.DynamicModuleFilter(
        dynamic_module_config=_MODULE,
        filter_name=name,
        filter_config=pack(StringValue(value=config)),
    )


def on_route(name: RouteConfiguration, config: str = "") -> Any:
    """Returns the configuration of one of the filters for a route or a virtual host.

    Args:
        name: What it is: that bodies need not be JSON, the size of the largest message of a stream
            in bytes, or the paths that ``allowed_verbs.paths`` returns.
        config: Its value, if it has one.
    """
    return _struct(
        _ON_ROUTE,
        {
            "dynamic_module_config": {"name": NAME},
            "filter_name": name,
            "filter_config": {"@type": _STRING, "value": config},
        },
    )


def _struct(name: str, fields: dict[str, object]) -> Any:
    """Returns a message as a TypedStruct: xds-protos does not have it yet, or not all of it."""
    made = typed_struct_pb2.TypedStruct(type_url=f"type.googleapis.com/{name}")
    json_format.ParseDict(fields, made.value)
    return pack(made)
