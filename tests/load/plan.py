"""What to call, how often, and for how long: the plan of a run, with every value checked."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Operation = Literal["say", "count", "chat", "create-user", "sync-users"]
Protocol = Literal["grpc", "grpc-web", "rest-get", "rest-post"]

_STREAMS = ("count", "chat", "sync-users")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Load(_Model):
    """Calls of one kind.

    A load ends when `calls` calls have ended; with `hold` in the plan it goes on until SIGTERM.
    """

    name: str = Field(min_length=1)
    """What the result calls it."""
    operation: Operation
    """`say` (unary), `count` (server stream) and `chat` (bidirectional) of an Echo service;
    `create-user` (unary) and `sync-users` (bidirectional) of the user service."""
    protocol: Protocol = "grpc"
    """Streams of requests are called by gRPC only, and `count` by `rest-get` without a body."""
    package: str = "load.a"
    """Package of the Echo service."""
    host: str | None = None
    """Host that is asked for (`:authority`); the target itself when unset."""
    instance: str = ""
    """Beginning of the name of the servers that have to answer `say`; any other one is wrong."""
    calls: int = Field(ge=1, le=1_000_000)
    """Calls to make, at least."""
    rate: float = Field(default=0, ge=0, le=10_000)
    """Calls to start a second at most; 0: as fast as the workers can."""
    workers: int = Field(default=1, ge=1, le=1000)
    """Calls in flight at most."""
    connections: int = Field(default=1, ge=1, le=100)
    """Connections of gRPC; HTTP/1.1 has one for each worker."""
    delay: float = Field(default=0, ge=0, le=60)
    """Seconds the server takes to answer `say`."""
    messages: int = Field(default=10, ge=1, le=100_000)
    """Messages of each stream."""
    interval: float = Field(default=0.1, ge=0, le=60)
    """Seconds between two messages of a stream."""
    timeout: float = Field(default=60, gt=0, le=600)
    """Deadline of each call in seconds; missing it is a failure."""

    @property
    def streaming(self) -> bool:
        """Whether its calls are streams."""
        return self.operation in _STREAMS

    @model_validator(mode="after")
    def _streams_are_grpc(self) -> Self:
        streams = ("grpc", "grpc-web", "rest-get") if self.operation == "count" else ("grpc",)
        if self.streaming and self.protocol not in streams:
            raise ValueError(f"protocol: {self.operation} is a stream; use {' or '.join(streams)}")
        if self.protocol == "rest-get" and self.operation not in ("say", "count"):
            raise ValueError(f"protocol: {self.operation} has no GET; use rest-post")
        return self


class Plan(_Model):
    """A run."""

    target: str = Field(pattern=r"^[^/]+:[0-9]+$")
    """Host and port to call."""
    loads: tuple[Load, ...] = Field(min_length=1)
    """What to call, all at the same time."""
    hold: bool = False
    """Go on after the counted calls until SIGTERM."""
    progress: float = Field(default=5, gt=0, le=60)
    """Seconds between two lines of progress."""
    seconds: float = Field(default=300, gt=0, le=3600)
    """No call is started after this many seconds, whatever else the plan says."""
