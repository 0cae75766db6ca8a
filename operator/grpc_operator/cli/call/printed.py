"""The same call as a command of grpcurl or curl, to be pasted into a shell.

Every word is quoted for a POSIX shell, since tenants and servers decide much of it.
"""

import shlex
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from google.protobuf.message import Message

from grpc_operator.cli.call.message_json import Printing, text
from grpc_operator.cli.call.options import Options
from grpc_operator.cli.call.reach import Place, Service
from grpc_operator.cli.call.rest_request import Rest
from grpc_operator.cli.call.transport import Call
from grpc_operator.cli.call.via import Via
from grpc_operator.cli.protos import proto_files
from grpc_operator.resources import service_key
from grpc_operator.status import examples

_AS_WRITTEN = Printing(proto_names=True)


async def command(
    options: Options, service: Service | None, place: Place, call: Call, messages: Sequence[Message]
) -> str:
    """Returns the command.

    Args:
        options: What the user asks for.
        service: Whose descriptor describes the call; ``None`` without one.
        place: Where to call.
        call: The call.
        messages: What to send.

    Raises:
        CliError: The message does not fit any REST rule.
    """
    target = place.forward.target if place.forward is not None else place.target
    if options.via is Via.GRPC_WEB:
        made = _grpc_web(options, place, call, messages[0])
    elif options.via is Via.REST:
        made = await _rest(options, place, call, messages)
    else:
        made = _grpcurl(options, service, (place, target), call, messages)
    return place.forward.around(made) if place.forward is not None else made


def _grpcurl(
    options: Options,
    service: Service | None,
    where: tuple[Place, str],
    call: Call,
    messages: Sequence[Message],
) -> str:
    place, target = where
    words = [*_trust(options, place, plain=("-plaintext",), insecure="-insecure", ca="-cacert")]
    for name, value in call.metadata:
        words += ["-H", f"{name}: {value}"]
    if call.deadline is not None:
        words += ["-max-time", f"{call.deadline:g}"]
    if place.authority != target:
        words += ["-authority", place.authority]
    data = "\n".join(text(call.schema.json(each, _AS_WRITTEN)) for each in messages)
    if data != "{}":
        words += ["-d", data]
    words += [target, call.called.name]
    protoset = ""
    if options.descriptor is not None:
        words = [*_protos(options.descriptor, options.proto_path), *words]
    elif service is not None:
        key = service_key(service.namespace, service.described)
        protoset = f"{examples.protoset(key)} "
    return f"grpcurl {protoset}{shlex.join(words)}"


def _protos(path: Path, proto_path: Sequence[Path]) -> Iterator[str]:
    """Yields the options of grpcurl for a descriptor that the user gives."""
    if not path.is_dir() and path.suffix != ".proto":
        yield from ("-protoset", str(path))
        return
    folder = path if path.is_dir() else path.parent
    for each in proto_path or (folder,):
        yield from ("-import-path", str(each))
    for file in proto_files(path) if path.is_dir() else (path,):
        roots = [each for each in (proto_path or (folder,)) if file.is_relative_to(each)]
        yield from ("-proto", str(file.relative_to(roots[0]) if roots else file))


def _grpc_web(options: Options, place: Place, call: Call, message: Message) -> str:
    from grpc_operator.cli.call import grpc_web

    url = f"{_base(place)}/{call.called.name}"
    headers = (("content-type", grpc_web.TYPE), ("x-grpc-web", "1"))
    words = [*_curl(options, place, call, headers), "--data-binary", "@-", "--output", "-", url]
    return f"{_printf(grpc_web.frame(message.SerializeToString()))} | {shlex.join(words)}"


async def _rest(options: Options, place: Place, call: Call, messages: Sequence[Message]) -> str:
    rest = Rest(call.schema, call.called, call.called.method.bindings)
    made = rest.request(messages[0], _each(messages[1:]))
    words = [*_curl(options, place, call, tuple(made.headers.items()))]
    if made.binding.verb != "GET":
        words += ["-X", made.binding.verb]
    body = made.body
    if isinstance(body, AsyncIterator):
        body = b"".join([part async for part in body])
    url = f"{_base(place)}{made.path}"
    if body is None:
        return shlex.join([*words, url])
    try:
        return shlex.join([*words, "--data-raw", body.decode(), url])
    except UnicodeDecodeError:
        return f"{_printf(body)} | {shlex.join([*words, '--data-binary', '@-', url])}"


def _curl(
    options: Options, place: Place, call: Call, headers: Sequence[tuple[str, str]]
) -> Iterator[str]:
    yield from ("curl", "-sSi", "--no-buffer", "--globoff")
    yield from _trust(options, place, plain=(), insecure="--insecure", ca="--cacert")
    if call.deadline is not None:
        yield from ("--max-time", f"{call.deadline:g}")
    for name, value in (*headers, *call.metadata):
        yield from ("-H", f"{name}: {value}")
    if place.forward is not None:
        yield from ("--connect-to", f"::{place.forward.target}")
    elif place.authority != place.target:
        yield from ("--connect-to", f"::{place.target}")


def _trust(
    options: Options, place: Place, *, plain: Sequence[str], insecure: str, ca: str
) -> Iterator[str]:
    trust = options.server.trust
    if not place.has_tls:
        yield from plain
    elif trust.insecure:
        yield insecure
    elif trust.ca is not None:
        yield from (ca, str(trust.ca))


def _base(place: Place) -> str:
    return f"{'https' if place.has_tls else 'http'}://{place.authority}"


def _printf(data: bytes) -> str:
    """Returns a command that prints bytes: in octal, which every shell knows."""
    octal = "".join(f"\\{byte:03o}" for byte in data)
    return f"printf '{octal}'"


async def _each(messages: Sequence[Message]) -> AsyncIterator[Message]:
    for each in messages:
        yield each
