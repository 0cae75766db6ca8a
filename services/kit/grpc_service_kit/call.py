"""Call, Method, Interceptor: what interceptors are made of.

grpc.aio has four kinds of method handler and two styles for streamed responses. `handlers.py`
makes one shape of them all, so that an interceptor is a function around a coroutine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import grpc

from grpc_service_kit.errors import DomainError

Metadata = dict[str, str | bytes]


@dataclass(frozen=True)
class Method:
    """One method of a service, made once when the server is built."""

    path: str
    """As on the wire: `/package.Service/Method`."""
    request_streaming: bool
    response_streaming: bool
    request_deserializer: Callable[[bytes], Any] | None
    response_serializer: Callable[[Any], bytes] | None
    infrastructure: bool = False
    """Whether the kit itself serves it (health, reflection), and not the application. The name does
    not decide it: authentication leaves these methods out."""

    @cached_property
    def name(self) -> str:
        """Full name: `package.Service/Method`."""
        return self.path[1:]

    @cached_property
    def service(self) -> str:
        """Full name of the service."""
        return self.name.rpartition("/")[0]

    @property
    def streaming(self) -> bool:
        """Whether either side may send more than one message."""
        return self.request_streaming or self.response_streaming


class Call:
    """One running call, as the interceptors see it. Servicers read `context.py` instead."""

    __slots__ = ("began", "code", "context", "ended_by", "metadata", "path", "request_id", "task")

    method: ClassVar[Method]
    context: grpc.aio.ServicerContext[Any, Any]
    path: str
    """As the client wrote it; set only for calls of unknown methods."""
    task: asyncio.Task[Any]

    def __init__(self, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        """Begin a call; interceptors fill in what they own."""
        self.began = time.monotonic()
        self.metadata: Metadata = dict(metadata)
        """What the client sent; of a key that came more than once, the last value."""
        self.code = grpc.StatusCode.UNKNOWN
        """How the call ended, once the error table has seen the end."""
        self.request_id = ""
        self.ended_by: DomainError | None = None
        """Why the server itself cancels the call, if it does."""


Proceed = Callable[[Call, Any], Awaitable[Any]]
"""Goes on with a call. Takes the request, or an async iterator of requests; returns the response,
or None when the method streams its responses."""

Interceptor = Callable[[Method, Proceed], Proceed]
"""Asked once for each method when the server is built; returns what to do for every call of it.
Returning `proceed` itself costs nothing per call."""
