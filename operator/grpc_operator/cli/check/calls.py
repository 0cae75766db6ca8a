"""Calls through the gateway, by each protocol: of a method that no server has, so nothing changes.

A gateway passes unknown methods on, so that the server itself answers UNIMPLEMENTED.
"""

import re
from functools import partial
from typing import Any

from google.protobuf import descriptor_pb2, empty_pb2

from grpc_operator.cli.call import grpc_call, grpc_web, http_call
from grpc_operator.cli.call.errors import name
from grpc_operator.cli.call.parts import Outcome, Part
from grpc_operator.cli.call.reach import Service, find, opened
from grpc_operator.cli.call.schema import Called, Schema
from grpc_operator.cli.call.tls import Trust
from grpc_operator.cli.call.transport import Call, Requests
from grpc_operator.cli.call.via import Via
from grpc_operator.cli.check.model import Check, Known, Verdict, failed, ok
from grpc_operator.cli.check.service import AT_GATEWAY
from grpc_operator.descriptor import model

_METHOD = "GrpcopCheck"
_DEADLINE = 1.5
_UNIMPLEMENTED = 12
_NOTHING = "nothing is served under this host and path"
_VERB = "PROPFIND"
"""A verb that no rule has; where the path is served by another one, the gateway says so."""

_METHOD_NOT_ALLOWED = 405

_AFTER = ("hosts", "pods")
_EMPTY: Any = empty_pb2.Empty.DESCRIPTOR


async def _grpc(via: Via, known: Known) -> Verdict:
    services = (known.service.get("status") or {}).get("services") or ()
    if not services:
        return failed("the status lists no gRPC service", f"grpcop check {known.name}")
    service = Service(known.service, None)
    place = await find(known.cluster, service, via, None)
    called = Called(services[0]["name"], model.Method(_METHOD, "Unary"), _EMPTY, _EMPTY)
    parts = grpc_web.parts if via is Via.GRPC_WEB else grpc_call.parts
    async with opened(place, known.cluster, via, Trust(insecure=True)) as (target, between):
        call = Call(_schema(), called, target, place.authority, deadline=_DEADLINE)
        found: list[Part] = [part async for part in parts(call, _one())]
        problems = [problem for each in between for problem in each.problems]
    outcome = next(part for part in reversed(found) if isinstance(part, Outcome))
    unserved = _NOTHING in outcome.message or "status: 404" in outcome.message
    if outcome.code == _UNIMPLEMENTED and not unserved:
        return ok(f"the server answers at {place.authority}")
    words = f"{name(outcome.code)}: {outcome.message or outcome.hint}"
    return _failed(known, place.authority, [words, *problems])


async def _rest(known: Known) -> Verdict:
    rules = [
        rule
        for service in (known.service.get("status") or {}).get("services") or ()
        for method in service.get("methods") or ()
        for rule in method.get("rest") or ()
    ]
    if not rules:
        return ok("it has no REST rules")
    path = re.sub(r"\{[^}]*\}|\*+", "grpcop-check", rules[0].partition(" ")[2])
    place = await find(known.cluster, Service(known.service, None), Via.REST, None)
    async with opened(place, known.cluster, Via.REST, Trust(insecure=True)) as (target, between):
        called = Called("", model.Method("", "Unary"), _EMPTY, _EMPTY)
        call = Call(_schema(), called, target, place.authority, deadline=_DEADLINE)
        request = http_call.Request(_VERB, f"http://{target}{path}", {})
        async with http_call.sent(call, request) as answer:
            problems = [problem for each in between for problem in each.problems]
            if isinstance(answer, Outcome):
                words = f"{name(answer.code)}: {answer.message}"
                return _failed(known, place.authority, [words, *problems])
            if answer.status == _METHOD_NOT_ALLOWED:
                return ok(f"the gateway serves {rules[0]} at {place.authority}")
            text = (await answer.content.read(300)).decode(errors="replace")
            return _failed(known, place.authority, [f"HTTP status {answer.status}: {text}"])


def _failed(known: Known, authority: str, words: list[str]) -> Verdict:
    return failed(
        f"a call at {authority} ended with {'; '.join(words)}",
        f"See the proxies: kubectl logs -n {_namespace(known)} -l grpc.infera.dev/gateway",
    )


def _namespace(known: Known) -> str:
    return str((known.service.get("status") or {}).get("gateway", "")).partition("/")[0]


async def _one() -> Requests:
    yield empty_pb2.Empty()


def _schema() -> Schema:
    """Returns a schema with nothing but what details of errors need."""
    file = descriptor_pb2.FileDescriptorProto(name="grpcop.proto", syntax="proto3")
    file.message_type.add(name="Nothing")
    method = file.service.add(name="Grpcop").method.add(name=_METHOD)
    method.input_type = method.output_type = ".Nothing"
    return Schema(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())


def checks(protocols: set[str]) -> list[Check]:
    """Returns the checks of the protocols that a service is served by.

    Args:
        protocols: Of ``spec.gateway.protocols``.
    """
    found = []
    if "GRPC" in protocols:
        found.append(Check("gateway-grpc", AT_GATEWAY, partial(_grpc, Via.GRPC), _AFTER))
    if "GRPCWeb" in protocols:
        found.append(Check("gateway-grpc-web", AT_GATEWAY, partial(_grpc, Via.GRPC_WEB), _AFTER))
    if "REST" in protocols:
        found.append(Check("gateway-rest", AT_GATEWAY, _rest, _AFTER))
    return found
