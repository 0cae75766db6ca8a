"""Which messages refer to which, in all of a set, also where that is not complete."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from google.protobuf.descriptor_pb2 import DescriptorProto

from grpc_operator.descriptor.symbols import Symbol, Symbols

Graph = Mapping[str, list[str]]
"""The messages and enums that each message refers to, by full name."""


def references(symbols: Symbols) -> tuple[Graph, set[str]]:
    """Returns what each message refers to, and those that refer to what is not in the set."""
    graph: dict[str, list[str]] = {}
    incomplete: set[str] = set()
    for name, symbol in symbols.named.items():
        if not isinstance(symbol.proto, DescriptorProto):
            continue
        graph[name] = []
        for field in symbol.proto.field:
            found = resolved(symbols, field.type_name, symbol)
            if found is not None:
                graph[name].append(found.name)
            elif field.type_name:
                incomplete.add(name)
    return graph, incomplete


def resolved(symbols: Symbols, reference: str, scope: Symbol) -> Symbol | None:
    """Returns the message or enum that a reference in a scope means, if it is in the set."""
    if not isinstance(reference, str) or not reference:
        return None
    return symbols.resolve(reference, scope.name, scope.file)


def reachable(names: Iterable[str], graph: Graph) -> set[str]:
    """Returns some messages and all that they need."""
    found: set[str] = set()
    pending = [*names]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += graph.get(name, ())
    return found


def reaching(names: Iterable[str], graph: Graph) -> set[str]:
    """Returns some messages and all that need one of them."""
    return reachable(names, reversed_(graph))


def reversed_(graph: Graph) -> Graph:
    """Returns which messages refer to each message or enum."""
    by: dict[str, list[str]] = defaultdict(list)
    for name, needs in graph.items():
        for each in needs:
            by[each].append(name)
    return by
