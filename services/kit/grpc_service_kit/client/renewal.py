"""RenewingChannel: a channel that uses new certificates when their files have changed.

gRPC's Python API reads the files of a channel once. So this makes a new channel for the calls to
come, and closes the old one when its calls have ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from grpc_service_kit.client.errors import ClientConfigError

_CHECK_SECONDS = 10.0
_GRACE_SECONDS = 24 * 3600.0
"""How long calls may go on with the certificates that they began with."""

logger = logging.getLogger("grpc_service_kit.client")

Make = Callable[[], grpc.aio.Channel]
"""Reads the files; raises ClientConfigError."""


class RenewingChannel(grpc.aio.Channel):
    """Passes every call on to the newest channel.

    Args:
        make: Makes a channel with what the files hold.
        files: The files; they are checked at a call, at most every 10 s.
    """

    def __init__(self, make: Make, files: list[Path]) -> None:
        self._make = make
        self._files = files
        self._seen = self._versions()
        self._current = make()
        self._checked = time.monotonic()
        self._closing: set[asyncio.Task[None]] = set()

    def newest(self) -> grpc.aio.Channel:
        """Return the channel for the next call."""
        now = time.monotonic()
        if now - self._checked > _CHECK_SECONDS:
            self._checked = now
            self._renew()
        return self._current

    def _renew(self) -> None:
        versions = self._versions()
        if versions == self._seen:
            return
        self._seen = versions
        try:
            made = self._make()
        except ClientConfigError as error:
            # Once for each change: the files may be half written, and will change again.
            logger.warning("the certificates of a channel are not replaced: %s", error)
            return
        closing = asyncio.ensure_future(self._current.close(_GRACE_SECONDS))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._current = made
        logger.info("the certificates of a channel are replaced")

    def _versions(self) -> list[tuple[int, int]]:
        """Return what changes with the files: the volume of a Secret is replaced by links."""
        found = []
        for file in self._files:
            try:
                status = file.stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((status.st_ino, status.st_mtime_ns))
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Close the channel and those before it; calls get `grace` seconds to end."""
        await self._current.close(grace)
        for closing in tuple(self._closing):
            closing.cancel()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 as gRPC has it
        """Return the state of the newest channel."""
        return self.newest().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the newest channel is in another state."""
        await self.newest().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the newest channel is connected."""
        await self.newest().channel_ready()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return what makes calls of a method."""
        return _Method(self, lambda channel: channel.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return what makes calls of a method."""
        return _Method(self, lambda channel: channel.unary_stream(*args, **kwargs))

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return what makes calls of a method."""
        return _Method(self, lambda channel: channel.stream_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return what makes calls of a method."""
        return _Method(self, lambda channel: channel.stream_stream(*args, **kwargs))


class _Method:
    """Makes the calls of a method by the newest channel."""

    def __init__(self, channel: RenewingChannel, bind: Callable[[grpc.aio.Channel], Any]) -> None:
        self._channel = channel
        self._bind = bind
        self._bound: tuple[grpc.aio.Channel, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        newest = self._channel.newest()
        if self._bound is None or self._bound[0] is not newest:
            self._bound = newest, self._bind(newest)
        return self._bound[1](*args, **kwargs)
