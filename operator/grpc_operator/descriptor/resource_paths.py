"""Which HTTP method and path a gRPC method has by its name, as the AIPs say."""

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import (
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from grpc_operator.descriptor import method_names
from grpc_operator.descriptor.method_names import Parts, camel, plural, singular
from grpc_operator.descriptor.requests import Requests
from grpc_operator.descriptor.symbols import Symbols

_VERBS = {"Get": "get", "List": "get", "Create": "post", "Update": "patch", "Delete": "delete"}
_UNKNOWN = (
    "its name does not say which resource it is about, as GetUser, ListUsers, CreateUser,"
    " UpdateUser and DeleteUser do, or a verb before the noun of one of these; write a rule for it"
)

Fields = dict[str, str]
"""Fields of a rule: HTTP method and path, and the body."""


@dataclass(frozen=True)
class ResourcePaths:
    """The resources of one service and their paths.

    Attributes:
        own: The noun after which the service is named.
        plurals: Of the nouns of its methods, by singular.
        version: Of its package with a slash before it, such as ``/v1``; empty for none.
        routes: Paths below which everything has to be; anywhere when there is none.
        requests: The messages of its methods.
    """

    own: str
    plurals: Mapping[str, str]
    version: str
    routes: tuple[str, ...]
    requests: Requests

    @classmethod
    def of(
        cls, name: str, service: ServiceDescriptorProto, symbols: Symbols, routes: tuple[str, ...]
    ) -> "ResourcePaths":
        """Returns those of a service.

        Args:
            name: Its full name.
            service: The service.
            symbols: The set, with resolved types of the methods.
            routes: See the attribute.
        """
        version = method_names.version(name.rpartition(".")[0])
        requests = Requests(symbols)
        own = method_names.of_service(service.name)
        plurals = {own: plural(own)}
        for method in service.method:
            parts = method_names.standard(method.name)
            if parts is None or not parts.noun:
                continue
            if parts.verb != "List":
                plurals.setdefault(parts.noun, plural(parts.noun))
            elif plural(singular(parts.noun)) == parts.noun:
                plurals[singular(parts.noun)] = parts.noun
            else:  # irregular: the message says what is listed
                plurals[requests.listed(method) or parts.noun] = parts.noun
        return cls(own, plurals, f"/{version}" if version else "", routes, requests)

    def rule(self, method: MethodDescriptorProto) -> Fields | str:
        """Returns the fields of a rule for a method, or why there is none."""
        parts = method_names.standard(method.name)
        if parts is not None:
            return self._standard(method, parts.verb, self._singular(parts.noun or self.own))
        parts = method_names.custom(method.name, {*self.plurals, *self.plurals.values()})
        return self._custom(method, parts) if parts is not None else _UNKNOWN

    def _standard(self, method: MethodDescriptorProto, verb: str, noun: str) -> Fields | str:
        path: str | None
        if verb in {"List", "Create"}:
            path = self._collection(method, noun)
        else:
            path = self._one(method, noun)
        if path is None and verb == "Get":
            path = f"{self._base(noun)}/{camel(noun)}"  # AIP-156: there is only one
        if path is None:
            return f"its request has no field that says which {noun} is meant, such as id"
        found = {_VERBS[verb]: path}
        if verb in {"Create", "Update"}:
            found["body"] = self.requests.resource(method, noun) or "*"
        return found

    def _custom(self, method: MethodDescriptorProto, parts: Parts) -> Fields:
        noun = self._singular(parts.noun)
        path = self._one(method, noun) if parts.noun in self.plurals else None
        path = f"{path or self._collection(method, noun)}:{camel(parts.verb)}"
        reads = method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS
        if (reads or parts.verb in method_names.READING) and self.requests.is_query(method):
            return {"get": path}
        return {"post": path, "body": "*"}

    def _collection(self, method: MethodDescriptorProto, noun: str) -> str:
        """Returns the path of all resources of a kind, or of those that one has."""
        base, parent = self._base(noun), self.requests.parent(method)
        inner = f"/{{{parent}}}" if parent is not None else ""
        return f"{base}{inner}/{self._segment(noun)}"

    def _one(self, method: MethodDescriptorProto, noun: str) -> str | None:
        variable = self.requests.variable(method, noun)
        if variable is None:
            return None
        if "=" in variable:  # a resource name has the collection in it
            return f"{self._base(noun)}/{{{variable}}}"
        return f"{self._base(noun)}/{self._segment(noun)}/{{{variable}}}"

    def _base(self, noun: str) -> str:
        """Returns the path before that of a collection."""
        segment = self._segment(noun)
        for route in self.routes:
            base, _, last = route.rpartition("/")
            if _plain(last) == _plain(segment):
                return base
        default = f"{self.version}/{segment}"
        if not self.routes or any(f"{default}/".startswith(f"{each}/") for each in self.routes):
            return self.version
        return self.routes[0]

    def _segment(self, noun: str) -> str:
        """Returns the last segment of a collection, spelled as in a route."""
        segment = camel(self.plurals.get(noun, plural(noun)))
        lasts = [each.rpartition("/")[2] for each in self.routes]
        return next((each for each in lasts if _plain(each) == _plain(segment)), segment)

    def _singular(self, noun: str) -> str:
        by_plural = {many: one for one, many in self.plurals.items()}
        return by_plural.get(noun, noun)


def _plain(segment: str) -> str:
    return segment.replace("-", "").replace("_", "").lower()
