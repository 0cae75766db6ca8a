"""FileDescriptorSets: checked, pruned to what is exposed, with their methods and HTTP bindings.

Pure: bytes in, frozen values out. ``load`` is the entry point.

- ``files``: bytes to files and back; ``symbols``: names and references
- ``closure``, ``prune``, ``options``, ``topological_order``, ``error_details``: the smallest set
  that serves
- ``services``, ``http_rule``, ``template``: services, methods, ``google.api.http``
- ``auto_mapping``: ``POST /package.Service/Method`` for every method
- ``model``: the result; ``limits``; ``descriptor_error``; ``nearest``: did you mean
"""

from grpc_operator.descriptor.auto_mapping import with_auto_mapping
from grpc_operator.descriptor.descriptor_error import DescriptorError
from grpc_operator.descriptor.files import merge_files
from grpc_operator.descriptor.limits import MAX_BYTES, NEARLY
from grpc_operator.descriptor.load import load
from grpc_operator.descriptor.model import Binding, Descriptor, Kind, Method, Service
from grpc_operator.descriptor.nearest import nearest

__all__ = [
    "MAX_BYTES",
    "NEARLY",
    "Binding",
    "Descriptor",
    "DescriptorError",
    "Kind",
    "Method",
    "Service",
    "load",
    "merge_files",
    "nearest",
    "with_auto_mapping",
]
