"""The bindings of ``google.api.http``: what callers of REST see, which is HTTP method and path.

A caller does not know which method has a binding, or where in the descriptor it stands. New
bindings break nobody, unless they take the requests of another method.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from grpc_operator.descriptor.compat.breaking import Breaking
from grpc_operator.descriptor.compat.paths import ANY_VERB, REST, Served, Shape, covers, family
from grpc_operator.descriptor.compat.schema import Schema
from grpc_operator.descriptor.model import Service


def breaking(
    old: Schema, new: Schema, before: Iterable[Service], after: Iterable[Service]
) -> Iterator[Breaking]:
    """Yields what breaks callers of REST, in the order of the earlier descriptor.

    Args:
        old: What callers know.
        new: What the server has.
        before: The earlier services, with the bindings that are served.
        after: Those of the server.
    """
    known = _by_shape(old, before)
    bindings = _Bindings(old, new, known, tuple(after))
    for served in known.values():
        yield from bindings.of(served)


def _by_shape(schema: Schema, services: Iterable[Service]) -> dict[Shape, Served]:
    """Returns bindings by what they match; the first of equal ones is served."""
    found: dict[Shape, Served] = {}
    for service in services:
        protos = {each.name: each for each in schema.services[service.name].method}
        for method in service.methods:
            proto = protos[method.name]
            name = f"{service.name}.{method.name}"
            for binding in method.bindings:
                each = Served(binding, name, proto.input_type[1:], proto.output_type[1:])
                found.setdefault(each.shape, each)
    return found


class _Bindings:
    """Compares bindings one by one.

    Args:
        old: What callers know.
        new: What the server has.
        known: The earlier bindings.
        services: Those of the server.
    """

    def __init__(
        self, old: Schema, new: Schema, known: Mapping[Shape, Served], services: tuple[Service, ...]
    ) -> None:
        self._old = old
        self._new = new
        self._now = _by_shape(new, services)
        self._methods = {
            f"{service.name}.{method.name}": method
            for service in services
            for method in service.methods
        }
        self._of_method: dict[str, list[Served]] = defaultdict(list)
        self._paths: dict[object, list[Served]] = defaultdict(list)
        self._families: dict[object, list[Served]] = defaultdict(list)
        self._added: dict[str, list[Served]] = defaultdict(list)
        for shape, served in self._now.items():
            self._of_method[served.method].append(served)
            if shape not in known:
                self._added[served.method].append(served)
            if shape not in known or known[shape].method != served.method:
                self._paths[shape[1:]].append(served)
                self._families[family(shape)].append(served)

    def of(self, old: Served) -> Iterator[Breaking]:
        """Yields what breaks callers of one binding."""
        new = self._now.get(old.shape) or self._now.get((ANY_VERB, *old.shape[1:]))
        if new is not None and not self._is_same(old, new):
            yield _shadowed(old, new)
            return
        new = new or self._covering(old)
        if new is None:
            yield self._gone(old)
            return
        yield from self._changes(old, new)
        taken = self._taken(old)
        if taken is not None:
            yield _shadowed(old, taken)

    def _is_same(self, old: Served, new: Served) -> bool:
        """Returns whether it is the same method, or the same one under another name."""
        if old.method == new.method:
            return True
        is_renamed = old.method not in self._methods
        return is_renamed and (old.request, old.response) == (new.request, new.response)

    def _covering(self, old: Served) -> Served | None:
        """Returns a wider binding of the same method."""
        wider = self._of_method.get(old.method, ())
        return next((each for each in wider if covers(each.shape, old.shape)), None)

    def _taken(self, old: Served) -> Served | None:
        """Returns a binding of another method that now takes a whole part of the requests: those of
        one HTTP method, or with fewer segments than ``**`` allows.
        """
        by_verb = self._paths.get(old.shape[1:], ()) if old.binding.verb == ANY_VERB else ()
        shorter = self._families.get(family(old.shape), ()) if REST in old.binding.segments else ()
        return next((each for each in chain(by_verb, shorter) if each.method != old.method), None)

    def _gone(self, old: Served) -> Breaking:
        """Returns what has become of a binding that is no longer served."""
        method = self._methods.get(old.method)
        refused = {each.rule: each.reason for each in method.refused} if method else {}
        added = self._added.get(old.method, ())
        same_path = next((each for each in added if each.shape[1:] == old.shape[1:]), None)
        same_verb = next((each for each in added if each.binding.verb == old.binding.verb), None)
        rule = "HTTP_BINDING_NO_DELETE"
        if method is None:
            what = f"{old.method} was removed"
        elif old.element in refused:
            what = f"{old.method} has it, but it is not served ({refused[old.element]})"
        elif same_path is not None:
            rule, what = "HTTP_BINDING_SAME_VERB", f"is {same_path.binding.verb} now"
        elif same_verb is not None:
            rule, what = "HTTP_BINDING_SAME_PATH", f"is {same_verb.binding.template} now"
        else:
            what = f"{old.method} no longer has it"
        return Breaking(rule, old.element, f"{what}: breaks callers of it")

    def _changes(self, old: Served, new: Served) -> Iterator[Breaking]:
        length = len(old.binding.segments)
        if old.variables(self._old, length) != new.variables(self._new, length):
            what = f"the path sets other fields: it is {new.binding.template} now"
            text = f"{what}: the same request means something else"
            yield Breaking("HTTP_BINDING_SAME_VARIABLES", old.element, text)
        if old.body(self._old) != new.body(self._new):
            what = f"the body changed from {_body(old.binding.body)} to {_body(new.binding.body)}"
            yield Breaking("HTTP_BINDING_SAME_BODY", old.element, f"{what}: breaks callers of it")
        if old.response_body(self._old) != new.response_body(self._new):
            before, after = old.binding.response_body, new.binding.response_body
            what = f"the response_body changed from {_body(before)} to {_body(after)}"
            text = f"{what}: breaks callers that read it"
            yield Breaking("HTTP_BINDING_SAME_RESPONSE_BODY", old.element, text)


def _shadowed(old: Served, new: Served) -> Breaking:
    what = f"{new.element} of {new.method} now takes requests that {old.method} answered"
    return Breaking("HTTP_BINDING_NOT_SHADOWED", old.element, what)


def _body(field: str) -> str:
    return field or "none"
