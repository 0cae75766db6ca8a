"""Which calls run: a limit of how many are open at a time, and one that is full refuses the next.

A call costs memory from its headers on, so one that sends nothing else counts too. But it never
takes the place of another: when there is no room, the call that has waited longest for its request
ends. Health checks are never refused: a full server is a healthy one.
"""

from __future__ import annotations

from typing import Any

import grpc

from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.errors import ResourceExhausted, Unimplemented
from grpc_service_kit.interceptors.half_close import StreamContext


def admit_calls(most: int) -> Interceptor:
    """Return the interceptor that admits calls and reads the request of those with only one.

    Args:
        most: Open calls of the application. As many streams of health and reflection are open
            beside them.
    """
    application, streams, checks = _Room(most), _Room(most), _Room(most, refuses=False)

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        room = application
        if method.infrastructure:
            room = streams if method.streaming else checks
        if method.request_streaming:
            return _admitted(room, proceed)
        return _admitted_with_request(method, room, proceed)

    return interceptor


def _admitted(room: _Room, proceed: Proceed) -> Proceed:
    async def call(call: Call, requests: Any) -> Any:
        room.enter(call)
        try:
            return await proceed(call, requests)
        finally:
            room.open.discard(call)

    return call


def _admitted_with_request(method: Method, room: _Room, proceed: Proceed) -> Proceed:
    enter, leave, silent = room.enter, room.open.discard, room.silent

    async def call(call: Call, _requests: Any) -> Any:
        enter(call)
        silent[call] = None
        try:
            request = await call.context.read()
            silent.pop(call, None)
            if request is grpc.aio.EOF:
                await StreamContext(call.context).confirm_end()
                raise Unimplemented(f"{method.name} takes one request, and the call brought none")
            return await proceed(call, request)
        finally:
            silent.pop(call, None)
            leave(call)

    return call


class _Room:
    """The calls of one kind that are open."""

    def __init__(self, most: int, *, refuses: bool = True) -> None:
        """Have room for `most` calls, or for more of a kind that is answered at once."""
        self.open: set[Call] = set()
        self.silent: dict[Call, None] = {}
        """Those whose only request has not come, the oldest first."""
        self._most = most
        self._refuses = refuses

    def enter(self, call: Call) -> None:
        """Admit a call; raise ResourceExhausted when all others are at work."""
        if len(self.open) >= self._most and not self._end_oldest_silent() and self._refuses:
            raise ResourceExhausted(
                f"this server has {self._most} calls open, the most that MAX_CONCURRENT_CALLS"
                " allows; call again later"
            )
        self.open.add(call)

    def _end_oldest_silent(self) -> bool:
        for call in self.silent:
            call.ended_by = ResourceExhausted(
                "this server has no room left for a call without a request; send it at once"
            )
            del self.silent[call]
            self.open.discard(call)
            call.task.cancel()
            return True
        return False
