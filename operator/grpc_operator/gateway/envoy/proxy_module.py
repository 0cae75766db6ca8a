"""The dynamic module of the proxies: what it does to a new request, before Envoy selects a route.

It removes what no client may say, sets the header that selects the route table, and says of which
requests a server could not parse the metadata (docs/adr/0056). Its source is in
``operator/proxy_module``.
"""

from envoy.config.core.v3 import extension_pb2
from google.protobuf.struct_pb2 import Struct
from xds.type.v3 import typed_struct_pb2

from grpc_operator.gateway.envoy.protobuf import pack
from grpc_operator.gateway.ir import Listener

NAME = "grpc_operator"
"""Envoy loads ``libNAME.so`` from the folder that its environment names."""

_EXTENSION = "envoy.http.early_header_mutation.dynamic_modules"
_PACKAGE = "envoy.extensions.http.early_header_mutation.dynamic_modules.v3"
_TYPE = f"type.googleapis.com/{_PACKAGE}.DynamicModuleEarlyHeaderMutation"
_STRING = "type.googleapis.com/google.protobuf.StringValue"


def early_mutation(listener: Listener) -> extension_pb2.TypedExtensionConfig:
    """Returns what runs the module for each request of a listener.

    A TypedStruct, because xds-protos does not have the message yet.
    """
    value = Struct()
    value.update(
        {
            "dynamic_module_config": {"name": NAME},
            "early_header_mutation_name": "request_headers",
            "early_header_mutation_config": {"@type": _STRING, "value": listener.name},
        }
    )
    return extension_pb2.TypedExtensionConfig(
        name=_EXTENSION,
        typed_config=pack(typed_struct_pb2.TypedStruct(type_url=_TYPE, value=value)),
    )
