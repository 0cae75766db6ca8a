"""Types that the files of a server need and do not define: its imports have other names than the
files that it has.

Servers that are linked from several builds register ``bar.proto`` and import ``foo/bar.proto``.
Names of types do not depend on that.
"""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from grpc_operator.descriptor import DescriptorError
from grpc_operator.descriptor.symbols import Symbols, defined


def types(files: Iterable[bytes]) -> list[str]:
    """Returns the full names that such types may have, each once, in the order of the files.

    A reference without a leading dot may mean a type of any scope around it, the innermost first.

    Args:
        files: Serialised FileDescriptorProtos, of which only those with missing imports count.
    """
    try:
        symbols = Symbols.of(FileDescriptorProto.FromString(data) for data in files)
    except DescriptorError:
        return []  # loading the set says what is wrong
    found: dict[str, None] = {}
    for scope, file, reference in _references(symbols):
        if not isinstance(reference, str) or symbols.resolve(reference, scope, file) is not None:
            continue
        found.update(dict.fromkeys(_candidates(reference, scope)))
    return [*found]


def names(data: bytes) -> set[str]:
    """Returns the full names of the messages, enums and services of a file."""
    try:
        return {symbol.name for symbol in defined(FileDescriptorProto.FromString(data))}
    except DescriptorError:
        return set()


def _references(symbols: Symbols) -> Iterator[tuple[str, FileDescriptorProto, str]]:
    incomplete = {name for name, file in symbols.files.items() if symbols.missing_imports(file)}
    for name, symbol in symbols.named.items():
        if symbol.file.name not in incomplete:
            continue
        if isinstance(symbol.proto, DescriptorProto):
            for field in symbol.proto.field:
                if field.type_name:
                    yield name, symbol.file, field.type_name
        elif name in symbols.services:
            for method in symbols.services[name].method:
                yield name, symbol.file, method.input_type
                yield name, symbol.file, method.output_type


def _candidates(reference: str, scope: str) -> Iterator[str]:
    if reference.startswith("."):
        yield reference[1:]
        return
    parts = scope.split(".")
    for depth in range(len(parts), -1, -1):
        yield ".".join((*parts[:depth], reference))
