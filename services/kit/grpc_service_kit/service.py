"""Service: a servicer with what it takes to register it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from grpc_service_kit.handlers import Handlers
from grpc_service_kit.health import Check


class RegistrationError(Exception):
    """Services that no server can be built from; the text says which and why."""


@dataclass(frozen=True)
class Service:
    """One gRPC service.

    Service(user_pb2_grpc.add_UserServiceServicer_to_server, UserServicer(store), store.ping)
    """

    add_to_server: Callable[[Any, Any], None]
    """The generated function `add_<Service>Servicer_to_server`."""
    servicer: object
    """What it adds: its methods are `async def`."""
    check: Check | None = None
    """What the service needs; its health follows. Without one it is always SERVING."""

    def methods(self) -> tuple[str, Mapping[str, grpc.RpcMethodHandler[Any, Any]]]:
        """Return the service's full name, and its handlers by short method name."""
        recorder = _Recorder()
        self.add_to_server(self.servicer, recorder)
        if len(recorder.found) != 1:
            raise RegistrationError(
                f"{self.add_to_server.__qualname__} added {len(recorder.found)} services; pass the"
                " generated function add_<Service>Servicer_to_server"
            )
        return next(iter(recorder.found.items()))


def register(
    services: Sequence[Service], handlers: Handlers, *, infrastructure: bool = False
) -> dict[str, Check | None]:
    """Add the methods of all services; return their full names with their checks.

    Args:
        services: At least one.
        handlers: Where they are added.
        infrastructure: Whether they are the kit's own.

    Raises:
        RegistrationError: There is no service, one twice, or one with a method that is not async.
    """
    checks: dict[str, Check | None] = {}
    for service in services:
        name, methods = service.methods()
        if name in handlers.services:
            raise RegistrationError(f"{name}: is served twice; pass one Service for each name")
        try:
            handlers.add(name, methods, infrastructure=infrastructure)
        except TypeError as error:
            raise RegistrationError(str(error)) from error
        checks[name] = service.check
    if not checks:
        raise RegistrationError("there is no service; pass at least one Service")
    return checks


class _Recorder:
    """Stands in for the server, to learn what a generated function registers."""

    def __init__(self) -> None:
        self.found: dict[str, Mapping[str, grpc.RpcMethodHandler[Any, Any]]] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """Learn nothing: generic handlers do not list their methods; the next call does."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        self.found[service] = handlers
