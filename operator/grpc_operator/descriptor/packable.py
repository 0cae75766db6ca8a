"""Messages that no method mentions, but that an Any or the details of an error may hold.

Nothing says which these are, so all messages of the set are, apart from those that only options are
made of (``google/protobuf/descriptor.proto``, the rules of validators). Envoy's transcoder answers
with an error where a message is packed that it does not know.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from grpc_operator import limits
from grpc_operator.descriptor.references import (
    Graph,
    reachable,
    reaching,
    references,
    resolved,
)
from grpc_operator.descriptor.symbols import Symbol, Symbols

_OPTIONS = frozenset({"google/protobuf/descriptor.proto", "google/api/http.proto"})
_WELL_KNOWN = "google.protobuf"
_OF_SYMBOL = 16
"""Bytes of a message, enum or field beside its own, at most."""


def packable(symbols: Symbols, needed: AbstractSet[str], services: Iterable[str]) -> set[str]:
    """Returns the names of messages to keep beside those that the services need.

    Messages that need what is not in the set are left out, and whole files that exceed
    ``DESCRIPTOR_DETAILS_BYTES``: those of the services' packages are kept first.

    Args:
        symbols: The set.
        needed: Full names of what the services need.
        services: Full names of the services.
    """
    graph, broken = references(symbols)
    broken = reaching(broken, graph)
    packages = {symbols.named[name].file.package for name in services}
    of_options = _made_for_options(symbols, graph, packages)
    files: dict[tuple[bool, str], set[str]] = defaultdict(set)
    for name in graph.keys() - broken - of_options - needed:
        file = symbols.named[name].file
        files[file.package not in packages, file.name].add(name)
    return _fitting(symbols, needed, [files[key] for key in sorted(files)], graph)


def _fitting(
    symbols: Symbols, needed: AbstractSet[str], groups: Iterable[set[str]], graph: Graph
) -> set[str]:
    """Returns the groups that fit, each with what it needs."""
    left = limits.DESCRIPTOR_DETAILS_BYTES.value
    found: set[str] = set()
    for group in groups:
        more = reachable(group, graph) - needed - found
        size = sum(_size(symbols.named[name]) for name in more)
        if size <= left:
            left -= size
            found |= more
    return found


def _made_for_options(symbols: Symbols, graph: Graph, packages: AbstractSet[str]) -> set[str]:
    """Returns the types of options, and what is defined beside them and needs them.

    Those of the services' own packages may be more than that, and so may well-known types.
    """
    types = {
        name
        for name in reachable(_of_options(symbols), graph)
        if symbols.named[name].file.package not in {*packages, _WELL_KNOWN}
    }
    files = {symbols.named[name].file.name for name in types}
    beside = {name for name in reaching(types, graph) if symbols.named[name].file.name in files} - {
        name for name in graph if symbols.named[name].file.package in packages
    }
    return beside | {name for name in graph if symbols.named[name].file.name in _OPTIONS}


def _of_options(symbols: Symbols) -> Iterator[str]:
    """Yields the types of all extensions of options and editions features."""
    for file in symbols.files.values():
        yield from _extensions(
            symbols, file.extension, Symbol(file.package, file, DescriptorProto())
        )
    for symbol in symbols.named.values():
        if isinstance(symbol.proto, DescriptorProto):
            yield from _extensions(symbols, symbol.proto.extension, symbol)


def _extensions(
    symbols: Symbols, fields: Iterable[FieldDescriptorProto], scope: Symbol
) -> Iterator[str]:
    for field in fields:
        found = resolved(symbols, field.type_name, scope)
        if found is not None and _is_of_options(field.extendee):
            yield found.name


def _is_of_options(extendee: str) -> bool:
    if not isinstance(extendee, str):
        return False
    name = extendee.removeprefix(".").removeprefix("google.protobuf.")
    return name == "FeatureSet" or (name.endswith("Options") and "." not in name)


def _size(symbol: Symbol) -> int:
    """Returns the bytes of a message without those inside, or of an enum; rather too many."""
    parts = (
        symbol.proto.field if isinstance(symbol.proto, DescriptorProto) else symbol.proto.value  # type: ignore[union-attr]
    )
    return len(symbol.name) + _OF_SYMBOL + sum(each.ByteSize() + _OF_SYMBOL for each in parts)
