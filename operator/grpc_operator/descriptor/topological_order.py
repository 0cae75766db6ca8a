"""The order of files: what is imported comes first, as every loader wants it."""

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
    waiting = {name: set(file.dependency) for name, file in files.items()}
    found: list[FileDescriptorProto] = []
    while waiting:
        ready = sorted(name for name, imports in waiting.items() if not imports)
        if not ready:
            raise refuse(f"has files that import each other: {_circle(waiting)}")
        found += [files[name] for name in ready]
        for name in ready:
            del waiting[name]
        for imports in waiting.values():
            imports.difference_update(ready)
    return found


def _circle(waiting: Mapping[str, set[str]]) -> str:
    """Returns one circle of imports; every waiting file has an import that waits too."""
    path = [min(waiting)]
    while path[-1] not in path[:-1]:
        path.append(min(waiting[path[-1]]))
    return " -> ".join(shown(name) for name in path[path.index(path[-1]) :])
