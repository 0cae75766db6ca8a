"""The fields of a GrpcService about revisions: how a new one gets its share of the calls."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_atomic, rule, rules
from grpc_operator.api.types import Duration

StatusCode = Literal[
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
"""A gRPC status code other than OK."""

Percent = Annotated[int, Field(ge=0, le=100)]

Tag = Annotated[
    str, Field(min_length=1, max_length=20, pattern=r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")
]
"""A name by which calls choose a revision. The first label of a host has 63 characters."""

LATEST = "Latest"
"""Stands for the revision of the current pod template in ``spec.traffic``."""


class Step(ApiModel):
    """A share of the calls for the new revision, and for how long."""

    weight: Percent
    """Percentage of the calls that go to the new revision."""
    hold: Duration | None = None
    """How long the step lasts, from when every proxy of the gateway has the weight; no longer than
    that when unset."""
    mirror_percent: Percent | None = None
    """Percentage of the calls that are also sent to the new revision, whose responses are dropped.
    Only calls of methods with `idempotency_level = NO_SIDE_EFFECTS` are mirrored."""


class Analysis(ApiModel):
    """How the new revision is judged, by method: by its gRPC status codes and its latency, compared
    with the stable revision over the same time.
    """

    mode: Literal["Enabled", "Disabled"] = "Enabled"
    """`Disabled` goes on to the next step after `hold`, whatever happens to the calls."""
    max_error_percent: Percent = 1
    """Percentage of the calls of a method that may fail. More may fail if as many of the stable
    revision do; chance is allowed for (Wilson score interval)."""
    error_codes: list[StatusCode] = Field(
        default=[
            "UNKNOWN",
            "DEADLINE_EXCEEDED",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
        ],
        min_length=1,
        max_length=16,
        json_schema_extra=list_atomic(),
    )
    """gRPC status codes that count as failures. Those by which a server says that the client is
    wrong, such as NOT_FOUND, do not by default."""
    max_latency_increase_percent: int = Field(default=50, ge=0, le=10000)
    """Percentage by which the 95th percentile of the latency of a unary method may exceed that of
    the stable revision; 5 ms always may. Judged after the first minute of a step, or at its end."""
    min_calls: int = Field(default=100, ge=1, le=1_000_000)
    """Calls of the new revision, of all methods together, that a step needs before it can succeed
    or fail. A method is judged from 3 failed calls on."""
    without_traffic: Literal["Wait", "Promote", "Rollback"] = "Wait"
    """What happens at the end of a step with fewer calls."""


class Streams(ApiModel):
    """What happens to the calls that a revision still has when it gets no new ones."""

    mode: Literal["Pin", "Drain"] = "Pin"
    """`Pin`: its pods stay until their last call has ended, or `limit` is over. `Drain`: they are
    terminated at once, and calls may finish within `spec.drain.timeout`."""
    limit: Duration = "1h"
    """The longest that pods are kept for calls that do not end."""


class SchemaCheck(ApiModel):
    """Whether a new revision may break the callers of the stable one. Its protobuf schema and REST
    bindings are compared before it gets the first call.
    """

    mode: Literal["Enforce", "Warn", "Disabled"] = "Enforce"
    """`Enforce` gives a revision with breaking changes no calls. `Warn` only reports them in the
    condition SchemaCompatible."""
    allow: list[Annotated[str, Field(max_length=512, pattern=r"^[A-Z_]+:.+$")]] | None = Field(
        default=None, max_length=128, json_schema_extra=list_atomic()
    )
    """Breaking changes to allow, as the condition lists them: `RULE:ELEMENT`, such as
    `RPC_NO_DELETE:user.v1.UserService.GetUser`, or `RULE:*` for all of a rule."""


class Sticky(ApiModel):
    """By what a client is recognized, so that all its calls go to the same revision as long as the
    weights stay.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("has(self.header) != has(self.cookie)", "set either header or cookie")
        )
    )

    header: str | None = Field(
        default=None, min_length=1, max_length=64, pattern=r"^[a-z0-9][-a-z0-9_]*$"
    )
    """Name of a request header (gRPC metadata), in lower case. Its value decides."""
    cookie: str | None = Field(
        default=None, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][-A-Za-z0-9_.]*$"
    )
    """Name of a cookie that the application sets. Its value decides."""


class Rollout(ApiModel):
    """How a change of the pod template becomes effective. Each pod template is a revision with a
    Deployment of its own, and calls through the gateway are split between the stable revision and
    the new one. Calls inside the cluster that do not use the gateway go to the stable one.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.steps) || self.strategy in ['Canary', 'BlueGreen']",
                "must not be set for the strategies Manual and RollingUpdate, which have no steps;"
                " use Canary or BlueGreen",
                field=".steps",
            ),
        )
    )

    strategy: Literal["RollingUpdate", "Canary", "BlueGreen", "Manual"] = "Canary"
    """`Canary` raises the weight of the new revision by `steps`, and takes it back when it fails.
    `BlueGreen` gives it all calls at once when all its pods are ready, and keeps the pods of the
    old one for `hold`. `Manual` waits at weight 0 until it is promoted. `RollingUpdate` replaces
    the pods of one Deployment, without revisions."""
    steps: list[Step] | None = Field(
        default=None, min_length=1, max_length=16, json_schema_extra=list_atomic()
    )
    """The steps. When unset, those of Canary are 5% for 2m, 25% for 5m and 50% for 5m, and that of
    BlueGreen is 100% for 5m. After the last one the new revision is the stable one."""
    analysis: Analysis = Analysis()
    on_failure: Literal["Rollback", "Pause"] = "Rollback"
    """What happens to a revision that fails its analysis. `Rollback` gives all calls back to the
    stable revision. `Pause` keeps the weights until somebody decides."""
    streams: Streams = Streams()
    schema_check: SchemaCheck = Field(default=SchemaCheck(), alias="schema")
    sticky: Sticky | None = None
    tag: Tag | None = None
    """A tag for the new revision: calls with the header `x-grpc-revision: TAG` go to it, whatever
    its weight is."""
    tag_hosts: Literal["Enabled", "Disabled"] = "Disabled"
    """`Enabled` also serves each tag at hosts of its own: `TAG---HOST` for each host of the
    service."""
    revision_history_limit: int = Field(default=3, ge=0, le=20)
    """Number of old revisions to keep, without pods, to go back to."""


class Traffic(ApiModel):
    """The share of one revision."""

    revision: str = Field(
        min_length=1,
        max_length=63,
        pattern=r"^(Latest|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$",
    )
    """Name of a revision as `status.revisions` lists them, or `Latest` for that of the current pod
    template."""
    percent: Percent | None = None
    """Percentage of the calls; none when unset."""
    tag: Tag | None = None
    """Calls with the header `x-grpc-revision: TAG` go to this revision, whatever its percentage
    is."""
