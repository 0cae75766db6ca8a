"""One call from the command line: where, what, how, and what is printed."""

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from grpc_operator import quotes
from grpc_operator.cli.call import (
    errors,
    grpc_call,
    listed,
    message_json,
    metadata,
    reach,
    sources,
)
from grpc_operator.cli.call.options import Options
from grpc_operator.cli.call.parts import Answer, Headers, Outcome, Pairs, Part
from grpc_operator.cli.call.reach import Place, Service
from grpc_operator.cli.call.requests import requests
from grpc_operator.cli.call.rest_request import Rest
from grpc_operator.cli.call.schema import Called, Schema
from grpc_operator.cli.call.transport import Call, Requests
from grpc_operator.cli.call.via import Via
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.local_port import Forward
from grpc_operator.cli.output import Format, note, write_text
from grpc_operator.descriptor import Binding
from grpc_operator.gateway.infrastructure import REVISION_HEADER
from grpc_operator.resources import GRPC_SERVICES

if TYPE_CHECKING:
    from grpc_operator.cli.connection import Cluster


@dataclass(frozen=True)
class _Found:
    """What the cluster says; nothing without one."""

    objects: "Cluster | None" = None
    service: Service | None = None


async def call(options: Options) -> ExitCode:
    """Makes a call, and prints what comes back as it comes.

    Returns:
        ``FOUND`` if the call has failed.

    Raises:
        CliError: The call cannot be made.
    """
    pairs = metadata.given(options.headers)
    async with AsyncExitStack() as stack:
        found = await _found(options, stack)
        schema = await sources.known(options, found.objects, found.service)
        if schema is not None and options.method is not None:
            schema.method(options.method)  # what is wrong is said before anything is connected
        place = await _place(options, found)
        opened = reach.opened(place, found.objects, options.via, options.server.trust)
        target, between = await stack.enter_async_context(opened)
        if schema is None:
            with _with_problems(between):
                schema = await sources.reflected(target)
        called = schema.method(options.method or "")
        made = Call(
            schema,
            _with_rules(called, found.service),
            target,
            place.authority,
            [*pairs, *_revision(options, found.service)],
            options.deadline,
        )
        _check_streams(options.via, called)
        messages = await requests(options.data, schema, called)
        if options.only_print:
            from grpc_operator.cli.call import printed

            known = [each async for each in messages]
            write_text(await printed.command(options, found.service, place, made, known))
            return ExitCode.OK
        return await _print(options, made, _parts(options.via, made, messages), between)


async def show_methods(options: Options, form: Format) -> None:
    """Prints the methods of the descriptor.

    Raises:
        CliError: There is no descriptor.
    """
    async with AsyncExitStack() as stack:
        found = await _found(options, stack)
        schema = await sources.known(options, found.objects, found.service)
        if schema is None:
            place = await _place(options, found)
            opened = reach.opened(place, found.objects, options.via, options.server.trust)
            target, between = await stack.enter_async_context(opened)
            with _with_problems(between):
                schema = await sources.reflected(target)
        listed.show(schema.services, form)


async def _found(options: Options, stack: AsyncExitStack) -> _Found:
    if options.name is None or options.kubeconfig is None:
        if options.server.address is None:
            raise CliError("no GrpcService is named", fix="Give its name, or --address HOST:PORT.")
        return _Found()
    from grpc_operator.cli.connection import cluster

    objects = await stack.enter_async_context(cluster(options.kubeconfig, options.namespace))
    manifest = await objects.need(GRPC_SERVICES, objects.namespace, options.name)
    tagged = options.via is not Via.DIRECT
    return _Found(objects, Service(manifest, None).with_revision(options.revision, tagged=tagged))


async def _place(options: Options, found: _Found) -> Place:
    if options.server.address is not None:
        return reach.at_address(options.server)
    if found.objects is None or found.service is None:
        raise CliError("no GrpcService is named", fix="Give its name, or --address HOST:PORT.")
    return await reach.find(found.objects, found.service, options.via, options.server.authority)


def _with_rules(called: Called, service: Service | None) -> Called:
    """Returns the method with the rule of automatic mapping, if it has no other one."""
    gateway = ((service.manifest.get("spec") or {}).get("gateway") or {}) if service else {}
    mapped = (gateway.get("rest") or {}).get("autoMapping") == "Enabled"
    if called.method.bindings or not mapped:
        return called
    path = f"/{called.name}"
    binding = Binding("POST", path, tuple(path.split("/")[1:]), body="*")
    return replace(called, method=replace(called.method, bindings=(binding,)))


def _revision(options: Options, service: Service | None) -> Pairs:
    """Returns the header by which the gateway chooses a revision."""
    if options.via is Via.DIRECT or options.revision is None:
        return ()
    chosen = service.revision if service is not None else None
    return ((REVISION_HEADER, str(chosen["tag"]) if chosen else options.revision),)


def _check_streams(via: Via, called: Called) -> None:
    if via is Via.GRPC_WEB and called.streams_requests:
        raise CliError(
            f"gRPC-Web cannot carry {called.name}: it takes a stream of messages",
            fix="Use --via grpc, rest or direct.",
        )


def _parts(via: Via, made: Call, messages: Requests) -> AsyncIterator[Part]:
    match via:
        case Via.REST:
            from grpc_operator.cli.call import rest

            rules = Rest(made.schema, made.called, made.called.method.bindings)
            return rest.parts(made, messages, rules)
        case Via.GRPC_WEB:
            from grpc_operator.cli.call import grpc_web

            return grpc_web.parts(made, messages)
        case _:
            return grpc_call.parts(made, messages)


async def _print(
    options: Options, made: Call, parts: AsyncIterator[Part], between: Sequence[Forward]
) -> ExitCode:
    if options.verbose:
        note(f"> {made.called.name} at {made.authority} ({options.via})")
        _note_pairs(">", made.metadata)
    outcome = Outcome(2, "the call ended without a status")
    async with aclosing(parts) as received:  # type: ignore[type-var]  # it is a generator
        async for part in received:
            match part:
                case Headers(pairs):
                    _note_pairs("<", pairs if options.verbose else ())
                case Answer(message):
                    _write(made.schema, message, options)
                case Outcome():
                    outcome = part
    _note_pairs("<<", outcome.trailers if options.verbose else ())
    if outcome.code == 0:
        return ExitCode.OK
    for line in errors.lines(outcome, [problem for each in between for problem in each.problems]):
        note(line)
    return ExitCode.FOUND


def _write(schema: Schema, message: object, options: Options) -> None:
    value = schema.json(message, options.printing) if isinstance(message, Message) else message
    write_text(message_json.text(value))
    sys.stdout.flush()  # of a stream, each message is there when it comes


def _note_pairs(mark: str, pairs: Pairs) -> None:
    for name, value in pairs:
        note(f"{mark} {quotes.printable(name)}: {quotes.printable(value)}")


@contextmanager
def _with_problems(between: Sequence[Forward]) -> Iterator[None]:
    """Adds to an error what failed on the way to the server."""
    try:
        yield
    except CliError as error:
        problems = [problem for each in between for problem in each.problems]
        raise CliError(error.message, fix=error.fix, where="; ".join(problems)) from error
