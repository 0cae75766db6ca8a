"""The metrics of calls: an access logger that counts instead of writing lines (docs/adr/0063).

It runs once when a call has ended, and finds the series by the name of the call's route, which only
routes of methods have: no client can create a series. A call without a gRPC status, such as one
that its client cancelled, is not counted.
"""

from collections.abc import Mapping
from typing import Any

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from google.protobuf.struct_pb2 import Struct
from google.rpc import code_pb2
from xds.type.v3 import typed_struct_pb2

from grpc_operator.desired.gateway.call_series import CALLS, CLUSTER, METHOD, SCOPE, STATUS, TIMES
from grpc_operator.gateway.envoy import access_log, resource_names
from grpc_operator.gateway.envoy.formats import first_of
from grpc_operator.gateway.envoy.protobuf import pack

MOST_SERIES = 100_000
"""Counters of one listener, at 300 bytes each; calls that would need one more are not counted."""

_TYPES = "type.googleapis.com/envoy.extensions"
_LOGGER = f"{_TYPES}.access_loggers.stats.v3.Config"
_ACTION = f"{_TYPES}.matching.actions.transform_stat.v3.TransformStat"
_VALUE = f"{_TYPES}.matching.common_inputs.stats.v3.StatTagValueInput"

_TIMED = "grpc_operator"
"""Metadata of routes whose times are recorded by method."""

_STATUS = first_of(
    ("DYNAMIC_METADATA", f"{resource_names.RESPONSE}:{access_log.STATUS}"),
    ("TRAILER", "grpc-status"),
    ("RESP", "grpc-status"),
)
"""What the server or the gateway said: by name for gRPC-Web and REST, else by number."""

_TIME = first_of(("COMMON_DURATION", "DS_RX_END:US_RX_END:ms"), ("DURATION", ""))
"""From the end of the request to that of the response, as Envoy's own ``upstream_rq_time``. Without
the end of a request, such as that of a server which answers earlier, all of the call's time."""

_BY_SERVER = "via_upstream"
"""Envoy's response code details of a response that came from a server, to its end."""


def count(made: route.Route, service: str, method: str, *, timed: bool) -> None:
    """Has the calls of a route counted under the name of a method.

    Args:
        made: The route.
        service: The gRPC service.
        method: The method.
        timed: Whether their times are recorded by method too: a histogram takes much more memory
            than a counter.
    """
    made.name = f"{service}/{method}"
    if timed:
        made.metadata.filter_metadata[_TIMED].update({METHOD: made.name})


def build() -> accesslog_pb2.AccessLog:
    """Returns the logger. A TypedStruct, because xds-protos does not have all its fields yet."""
    config = Struct()
    config.update(
        {
            "stats_scope": {
                "prefix": SCOPE,
                # Listeners have the same series without a sharing_name, by which Envoy 1.40 crashes
                # when it ends after --mode validate.
                "enable_eviction": True,
                "max_counters": MOST_SERIES,
            },
            "counters": [
                {
                    "stat": {"name": CALLS, "tags": [_cluster(), _method(), _status()]},
                    "value_fixed": 1,
                }
            ],
            "histograms": [
                {
                    "stat": {"name": TIMES, "tags": [_answered(), _cluster(), _timed_method()]},
                    "unit": "Milliseconds",
                    "value_format": _TIME,
                }
            ],
        }
    )
    packed = pack(typed_struct_pb2.TypedStruct(type_url=_LOGGER, value=config))
    return accesslog_pb2.AccessLog(name="envoy.access_loggers.stats", typed_config=packed)


def _cluster() -> dict[str, Any]:
    return {"name": CLUSTER, "value_format": "%UPSTREAM_CLUSTER%"}


def _method() -> dict[str, Any]:
    """Returns the label of the method; what is no call of one is dropped."""
    slash = {"single_predicate": {"input": _input(), "value_match": {"contains": "/"}}}
    other = {"predicate": {"not_matcher": slash}, "on_match": _action(drop_stat={})}
    rules = {"matcher_list": {"matchers": [other]}}
    return {"name": METHOD, "value_format": "%ROUTE_NAME%", "rules": rules}


def _status() -> dict[str, Any]:
    """Returns the label of the status, always one of the numbers that gRPC has.

    A server can say anything, and would otherwise create series. Clients take a code that they do
    not know for UNKNOWN (grpc/grpc, statuscodes.md).
    """
    kept = {}
    for number, name in access_log.NAMES.items():
        kept[number] = kept[name] = _action(update_tag={"new_tag_value": number})
    unknown = _action(update_tag={"new_tag_value": str(code_pb2.UNKNOWN)})
    rules = _exactly({"": _action(drop_stat={}), **kept}, unknown)
    return {"name": STATUS, "value_format": _STATUS, "rules": rules}


def _answered() -> dict[str, Any]:
    """Returns no label, but drops what no server answered completely."""
    rules = _exactly({_BY_SERVER: _action(drop_tag={})}, _action(drop_stat={}))
    return {"name": "by", "value_format": "%RESPONSE_CODE_DETAILS%", "rules": rules}


def _timed_method() -> dict[str, Any]:
    """Returns the label of the method where times are recorded by method, elsewhere none."""
    rules = _exactly({"": _action(drop_tag={})})
    return {"name": METHOD, "value_format": f"%METADATA(ROUTE:{_TIMED}:{METHOD})%", "rules": rules}


def _exactly(by_value: Mapping[str, Any], other: Any = None) -> dict[str, Any]:
    """Returns what is done with a label by its value, and with any other one."""
    tree = {"input": _input(), "exact_match_map": {"map": dict(by_value)}}
    return {"matcher_tree": tree, **({} if other is None else {"on_no_match": other})}


def _input() -> dict[str, Any]:
    return {"name": "value", "typed_config": {"@type": _VALUE}}


def _action(**what: Any) -> dict[str, Any]:
    return {"action": {"name": "transform", "typed_config": {"@type": _ACTION, **what}}}
