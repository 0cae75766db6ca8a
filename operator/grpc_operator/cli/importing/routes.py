"""The routes of an ``infera.yaml`` -> ``spec.gateway`` of its services."""

import re
from dataclasses import dataclass, field
from typing import Any

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.objects import dns_label
from grpc_operator.cli.importing.proto_api import Api
from grpc_operator.cli.importing.report import Effect
from grpc_operator.descriptor import proposed_rules

_PREFIX = re.compile(r"^(/[-A-Za-z0-9._~]+)+$")
_DOTS = re.compile(r"/[.]{1,2}(/|$)")


@dataclass
class Routes:
    """The gateway of an ``infera.yaml``.

    Attributes:
        gateway: Whether there is one.
        transcoding: Whether it serves REST.
        prefixes: Path prefixes, by the name of the service.
        fields: The route of each name, for messages.
    """

    gateway: bool
    transcoding: bool
    prefixes: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, Fields] = field(default_factory=dict)

    @classmethod
    def read(cls, gateway: Fields) -> "Routes":
        """Reads ``gateway``."""
        exists = bool(gateway.names())
        kind = gateway.text("type")
        if kind not in (None, "envoy"):
            gateway.say(Effect.LOST, "a GrpcGateway is Envoy", "type")
        transcoding = gateway.flag("transcoding")
        found = cls(exists, transcoding is not False)
        for route in gateway.items("routes"):
            found._add(route)
        return found

    def of(self, name: str, api: Api, gateway: str) -> dict[str, Any] | None:
        """Returns ``spec.gateway`` of a service; ``None`` if no route leads to it.

        Args:
            name: Its name.
            api: Its methods.
            gateway: Name of the GrpcGateway.
        """
        prefixes = self.prefixes.get(name)
        if prefixes is None:
            return None
        # infera.yaml has no host: routes are told apart by their paths alone.
        found: dict[str, Any] = {"gatewayRef": {"name": gateway}, "hostnames": ["*"]}
        if not self.transcoding:
            return found | {"protocols": ["GRPC", "GRPCWeb"]}
        return found | _rest(self.fields[name], api, prefixes)

    def check(self, names: set[str]) -> None:
        """Checks that each route leads to a service.

        Raises:
            CliError: One does not.
        """
        for name, route in self.fields.items():
            if name not in names:
                raise CliError(
                    f"there is no service {name[:80]!r}",
                    where=route.where("service"),
                    fix=f"Use one of {', '.join(sorted(names))}.",
                )

    def _add(self, route: Fields) -> None:
        service, path = route.text("service"), route.text("path")
        if not service or not path:
            route.refuse("path" if service else "service", "must be set")
        service = dns_label(service)
        self.fields.setdefault(service, route)
        prefixes = self.prefixes.setdefault(service, [])
        if not self.transcoding:
            route.say(Effect.LOST, "without transcoding there is no REST, and so no path", "path")
            return
        prefix = re.sub(r"/\*{1,2}$", "", path).rstrip("/")
        if not prefix:
            route.say(
                Effect.LOST,
                "every path cannot belong to one service; its REST rules are served as they are",
                "path",
            )
            return
        if not _PREFIX.match(prefix) or _DOTS.search(f"{prefix}/"):
            route.refuse("path", f"must be a prefix such as /v1/users/*, not {path[:80]!r}")
        if not path.endswith("*"):
            route.say(Effect.CHANGED, f"paths below {prefix} belong to the service, too", "path")
        if prefix not in prefixes:
            prefixes.append(prefix)


def _rest(route: Fields, api: Api, prefixes: list[str]) -> dict[str, Any]:
    """Returns ``rest``, with rules for the methods whose proto has none."""
    proposed = proposed_rules(api.data, api.services, prefixes)
    for without in proposed.without:
        route.say(Effect.CHANGED, f"{without.method} has no REST rule: {without.reason}")
    rest: dict[str, Any] = {"prefixes": prefixes} if prefixes else {}
    if proposed.rules:
        rest["rules"] = [{"selector": rule.selector} | rule.wire() for rule in proposed.rules]
    return {"rest": rest} if rest else {}
