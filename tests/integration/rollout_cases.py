"""What the CRD must refuse of ``spec.rollout`` and ``spec.traffic``, and all of their fields."""

from grpc_operator.resources import Manifest
from tests.integration.words import DURATION

LATEST = {"revision": "Latest", "percent": 50}
OTHER = {"revision": "users-7f3a9c2e", "percent": 50}

ROLLOUT_CEL: list[tuple[Manifest, str, str]] = [
    (
        {"traffic": [LATEST, {**OTHER, "percent": 40}]},
        "the percentages must add up to 100",
        "spec.traffic",
    ),
    (
        {"traffic": [{**LATEST, "tag": "a"}, {**OTHER, "tag": "a"}]},
        "each tag may be used once",
        "spec.traffic",
    ),
    (
        {"traffic": [LATEST, OTHER], "rollout": {}},
        (
            "must not be set unless spec.rollout.strategy is Manual: the other strategies set the"
            " percentages themselves"
        ),
        "spec.traffic",
    ),
    (
        {"rollout": {"strategy": "Manual", "steps": [{"weight": 5}]}},
        (
            "must not be set for the strategies Manual and RollingUpdate, which have no steps; use"
            " Canary or BlueGreen"
        ),
        "spec.rollout.steps",
    ),
    (
        {"rollout": {"steps": [{"weight": 5, "hold": "5 minutes"}]}},
        DURATION,
        "spec.rollout.steps[0].hold",
    ),
    (
        {"rollout": {"sticky": {"header": "a", "cookie": "b"}}},
        "set either header or cookie",
        "spec.rollout.sticky",
    ),
    ({"rollout": {"streams": {"limit": "1.5h"}}}, DURATION, "spec.rollout.streams.limit"),
]

ROLLOUT_LIMITS: list[tuple[Manifest, str, str]] = [
    (
        {"rollout": {"steps": [{"weight": 101}]}},
        "less than or equal to 100",
        "spec.rollout.steps[0].weight",
    ),
    ({"rollout": {"steps": [{}]}}, "Required value", "spec.rollout.steps[0].weight"),
    ({"rollout": {"tag": "Next"}}, "should match", "spec.rollout.tag"),
    (
        {"rollout": {"analysis": {"errorCodes": ["OK"]}}},
        'Unsupported value: "OK"',
        "spec.rollout.analysis.errorCodes[0]",
    ),
    (
        {"rollout": {"schema": {"allow": ["user.v1.UserService"]}}},
        "should match",
        "spec.rollout.schema.allow[0]",
    ),
    ({"traffic": [LATEST, LATEST]}, "Duplicate value", "spec.traffic[1]"),
]

MAXIMAL_ROLLOUT: Manifest = {
    "strategy": "Canary",
    "steps": [{"weight": 5, "hold": "2m", "mirrorPercent": 10}],
    "analysis": {
        "mode": "Enabled",
        "maxErrorPercent": 2,
        "errorCodes": ["INTERNAL"],
        "maxLatencyIncreasePercent": 20,
        "minCalls": 10,
        "withoutTraffic": "Promote",
    },
    "onFailure": "Pause",
    "streams": {"mode": "Drain", "limit": "5m"},
    "schema": {"mode": "Warn", "allow": ["HTTP_BINDING_NO_DELETE:DELETE /v1/users/{id}"]},
    "sticky": {"header": "x-user"},
    "tag": "next",
    "tagHosts": "Enabled",
    "revisionHistoryLimit": 1,
}
