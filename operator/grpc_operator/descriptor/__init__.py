"""FileDescriptorSets: checked, pruned to what is exposed, with their methods and HTTP bindings.

Pure: bytes in, frozen values out. ``load`` is the entry point.

- ``files``: bytes to files and back; ``symbols``: names and references
- ``closure``, ``packable``, ``error_details``: what is needed; ``prune``, ``options``,
  ``topological_order``: the smallest set
  that serves
- ``services``, ``http_rule``, ``template``: services, methods, ``google.api.http``
- ``given_rules``: rules of the spec in place of annotations
- ``proposed_rules``, ``resource_paths``, ``requests``, ``method_names``: rules by names of methods
- ``served_rules``, ``reserved``: only the rules that are served, and nothing reserved, for Envoy
- ``path_fields``: request messages in which only the path sets what it binds
- ``packing``: as it is stored
- ``model``: the result; ``descriptor_error``; ``nearest``: did you mean
"""

from grpc_operator.descriptor.descriptor_error import DescriptorError
from grpc_operator.descriptor.files import merge_files
from grpc_operator.descriptor.load import load
from grpc_operator.descriptor.model import Binding, Descriptor, Kind, Method, RefusedRule, Service
from grpc_operator.descriptor.nearest import nearest
from grpc_operator.descriptor.packing import packed, unpacked
from grpc_operator.descriptor.path_fields import with_path_fields
from grpc_operator.descriptor.proposed_rules import Proposed, Without, proposed_rules
from grpc_operator.descriptor.reserved import without_reserved
from grpc_operator.descriptor.served_rules import with_bindings
from grpc_operator.descriptor.services import EVERY

__all__ = [
    "EVERY",
    "Binding",
    "Descriptor",
    "DescriptorError",
    "Kind",
    "Method",
    "Proposed",
    "RefusedRule",
    "Service",
    "Without",
    "load",
    "merge_files",
    "nearest",
    "packed",
    "proposed_rules",
    "unpacked",
    "with_bindings",
    "with_path_fields",
    "without_reserved",
]
