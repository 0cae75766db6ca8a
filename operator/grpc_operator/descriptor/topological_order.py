"""The order of files: what is imported comes first, as every loader requires."""

from collections.abc import Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from grpc_operator.descriptor.descriptor_error import refuse, shown


def ordered(files: Mapping[str, FileDescriptorProto]) -> list[FileDescriptorProto]:
    """Returns the files in dependency order, by name where that leaves a choice.

    Args:
        files: By name; every import is among them.

    Raises:
        DescriptorError: Files import each other.
    """
    remaining = {name: set(file.dependency) for name, file in files.items()}
    found: list[FileDescriptorProto] = []
    while remaining:
        ready = sorted(name for name, imports in remaining.items() if not imports)
        if not ready:
            raise refuse(f"has files that import each other: {_cycle(remaining)}")
        found += [files[name] for name in ready]
        for name in ready:
            del remaining[name]
        for imports in remaining.values():
            imports.difference_update(ready)
    return found


def _cycle(remaining: Mapping[str, set[str]]) -> str:
    """Returns one cycle of imports; every remaining file imports another remaining one."""
    path = [min(remaining)]
    while path[-1] not in path[:-1]:
        path.append(min(remaining[path[-1]]))
    return " -> ".join(shown(name) for name in path[path.index(path[-1]) :])
