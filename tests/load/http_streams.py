"""Server streams by gRPC-Web and REST: one response that takes as long as the stream."""

import json

import aiohttp
from google.protobuf import json_format
from google.protobuf.message import Message

from tests.load.operations import Stream
from tests.load.plan import Load
from tests.load.protocols import HTTP_OK, WRONG, Http, post_grpc_web
from tests.load.tally import OK, Outcome


class _HttpStream(Http):
    def __init__(self, target: str, load: Load, stream: Stream) -> None:
        super().__init__(target, load)
        self._stream = stream

    def _judged(self, number: int, outcome: Outcome, replies: list[Message]) -> Outcome:
        right = 0
        for reply in replies:
            if not self._stream.right(number, right, reply):
                break
            right += 1
        lost = self._stream.expected - right
        detail = f"{right} of {self._stream.expected} messages"
        if outcome.status != OK:
            return Outcome(outcome.status, f"{detail}: {outcome.detail}", lost)
        return Outcome(WRONG, detail, lost) if lost or len(replies) != right else Outcome()


class GrpcWebStream(_HttpStream):
    """Server streams by gRPC-Web: a frame for each message."""

    async def _call(self, session: aiohttp.ClientSession, number: int) -> Outcome:
        request = await anext(self._stream.requests(number))
        url = self._base + self._stream.path
        outcome, messages = await post_grpc_web(session, url, request)
        replies = [self._stream.reply.FromString(message) for message in messages]
        return self._judged(number, outcome, replies)


class RestStream(_HttpStream):
    """Server streams by REST: a JSON array."""

    async def _call(self, session: aiohttp.ClientSession, number: int) -> Outcome:
        async with session.get(self._base + str(self._stream.get)) as response:
            text = await response.text()
        if response.status != HTTP_OK:
            return Outcome(f"HTTP {response.status}", text, self._lost)
        try:
            entries = json.loads(text)
        except json.JSONDecodeError as error:
            return Outcome(WRONG, f"not JSON: {error}", self._lost)
        replies = [json_format.ParseDict(entry, self._stream.reply()) for entry in entries]
        return self._judged(number, Outcome(), replies)
