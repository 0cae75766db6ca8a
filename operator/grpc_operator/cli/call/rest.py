"""A call by REST: JSON over HTTP/1.1, by the method's ``google.api.http`` rules."""

import codecs
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
from google.api import httpbody_pb2
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor as MessageDescriptor
from google.protobuf.message import Message

from grpc_operator.cli.call import http_call as http
from grpc_operator.cli.call.json_values import Values
from grpc_operator.cli.call.parts import Answer, Headers, Outcome, Part
from grpc_operator.cli.call.rest_request import Rest
from grpc_operator.cli.call.transport import MOST_BYTES, Call, Requests
from grpc_operator.cli.errors import CliError
from grpc_operator.descriptor import Binding

_HTTP_BODY = httpbody_pb2.HttpBody.DESCRIPTOR.full_name
_LONGEST_ERROR = 1 << 20
_EVENT = "text/event-stream"
_OK = range(200, 300)


async def parts(call: Call, requests: Requests, rest: Rest) -> AsyncIterator[Part]:
    """Yields what comes back.

    Args:
        call: The call.
        requests: Messages of the client.
        rest: The rules of the method.

    Raises:
        CliError: A request is not valid, or does not fit any of the rules.
    """
    first = await anext(requests)
    made = rest.request(first, requests)
    url = f"http://{call.target}{made.path}"
    request = http.Request(made.binding.verb, url, made.headers, made.body)
    async with http.sent(call, request) as answer:
        if isinstance(answer, Outcome):
            yield answer
            return
        yield Headers([(name.lower(), value) for name, value in answer.headers.items()])
        try:
            if answer.status in _OK:
                async for part in _answers(call, answer, made.binding):
                    yield part
            else:
                yield await _error(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            yield http.failed(error)


async def _answers(
    call: Call, answer: aiohttp.ClientResponse, binding: Binding
) -> AsyncIterator[Part]:
    kind, field = call.called.response, binding.response_body
    if kind.full_name == _HTTP_BODY or field:  # a response_body is always an HttpBody
        async for each in _bodies(answer, streamed=call.called.streams_responses):
            yield Answer(_around(each, field, kind))
    elif call.called.streams_responses:
        async for text in _elements(answer):
            yield Answer(_message(call, text))
    else:
        text = (await http.content(answer, MOST_BYTES)).decode(errors="replace")
        yield Answer(_message(call, text))
    yield Outcome(0)


async def _bodies(answer: aiohttp.ClientResponse, *, streamed: bool) -> AsyncIterator[Message]:
    """Yields google.api.HttpBody, which is the body itself."""
    content_type = answer.headers.get("content-type", "")
    if not streamed:
        data = await http.content(answer, MOST_BYTES)
        yield httpbody_pb2.HttpBody(content_type=content_type, data=data)
        return
    async for data in answer.content.iter_any():
        yield httpbody_pb2.HttpBody(content_type=content_type, data=data)


async def _elements(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """Yields the messages of a stream: elements of an array, lines, or server-sent events."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    events = answer.headers.get("content-type", "").startswith(_EVENT)
    values = Values(elements=not events)
    lines = ""
    async for data in answer.content.iter_any():
        text = decoder.decode(data)
        if events:
            *complete, lines = (lines + text).split("\n")
            text = "".join(f"{line.removeprefix('data:')}\n" for line in complete)
        for value in values.feed(text):
            yield value.text
    for value in values.end():
        yield value.text


def _around(body: Message, field: str, kind: MessageDescriptor) -> Message:
    """Returns the response that a body is, or is a field of."""
    if not field:
        return body
    message: Any = message_factory.GetMessageClass(kind)()
    getattr(message, field).ParseFromString(body.SerializeToString())
    return cast("Message", message)


def _message(call: Call, text: str) -> Message | Any:
    """Returns a message from its JSON."""
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise CliError(f"the response is not JSON, but begins with {text[:80]!r}") from error
    message: Message = message_factory.GetMessageClass(call.called.response)()
    try:
        return call.schema.from_value(value, message)
    except json_format.ParseError:
        return value


async def _error(answer: aiohttp.ClientResponse) -> Outcome:
    """Returns the outcome from an error: a ``google.rpc.Status`` as JSON."""
    data = await http.content(answer, _LONGEST_ERROR)
    try:
        status = json.loads(data)
        code, message = int(status["code"]), str(status.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        text = data[:200].decode(errors="replace").strip()
        hint = http.not_grpc(answer.status)
        return Outcome(http.code(answer.status), text, hint=hint)
    details = status.get("details")
    return Outcome(code, message, details if isinstance(details, list) else ())
