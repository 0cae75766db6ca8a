"""Pods that cannot be created or scheduled, or that their node ends."""

from tests.e2e.broken.base import STRICT, Broken, container, manifest, pod, python

_SPREAD = {
    "maxSkew": 1,
    "topologyKey": "no.such/key",
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": {"app": "x"}},
}
_AFFINITY = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "labelSelector": {"matchLabels": {"app": "none"}},
                "topologyKey": "kubernetes.io/hostname",
            }
        ]
    }
}

SCHEDULING = (
    Broken(
        "cpu",
        {"resources": {"requests": {"cpu": "900"}, "limits": {"cpu": "900"}}},
        "Unschedulable",
        ("Insufficient cpu",),
    ),
    Broken(
        "memory-request",
        {"resources": {"requests": {"memory": "9Ti"}, "limits": {"memory": "9Ti"}}},
        "Unschedulable",
        ("Insufficient memory",),
    ),
    Broken(
        "node-selector",
        pod(nodeSelector={"disk": "none"}),
        "Unschedulable",
        ("affinity/selector",),
    ),
    Broken("affinity", pod(affinity=_AFFINITY), "Unschedulable", ("pod affinity",)),
    Broken(
        "spread", pod(topologySpreadConstraints=[_SPREAD]), "Unschedulable", ("topology spread",)
    ),
    Broken(
        "gate",
        pod(schedulingGates=[{"name": "example.com/wait"}]),
        "SchedulingGated",
        ("example.com/wait",),
    ),
    Broken("scheduler", pod(schedulerName="none"), "Unschedulable", ("schedulerName", "none")),
    Broken(
        "readiness-gate",
        pod(readinessGates=[{"conditionType": "example.com/lb"}]),
        "ReadinessGatesNotReady",
        ("example.com/lb",),
    ),
)
CREATION = (
    Broken("priority", pod(priorityClassName="none"), "FailedCreate", ("PriorityClass",)),
    Broken("runtime", pod(runtimeClassName="none"), "FailedCreate", ("RuntimeClass",)),
    Broken("account", pod(serviceAccountName="none"), "FailedCreate", ("service account", "none")),
    Broken(
        "security",
        container(securityContext={"privileged": True, "allowPrivilegeEscalation": True}),
        "FailedCreate",
        ("PodSecurity",),
        namespace=STRICT,
    ),
    Broken(
        "quota",
        {"resources": {"requests": {"cpu": "1500m"}}},
        "FailedCreate",
        ("exceeded quota",),
        namespace=STRICT,
    ),
    Broken(
        "limit-range",
        {"resources": {"limits": {"memory": "3Gi"}}},
        "FailedCreate",
        ("maximum memory usage",),
        namespace=STRICT,
    ),
)
STAY = (
    Broken(
        "storage",
        python(
            "import time\nf = open('/tmp/big', 'wb')\nfor _ in range(60): f.write(bytes(1 << 20))\n"
            "f.flush()\ntime.sleep(9999)",
            resources={"limits": {"ephemeral-storage": "10Mi"}},
        ),
        "Evicted",
        ("ephemeral",),
    ),
)

STRICT_OBJECTS = (
    manifest("v1", "ResourceQuota", "quota", spec={"hard": {"requests.cpu": "1"}}),
    manifest(
        "v1",
        "LimitRange",
        "range",
        spec={"limits": [{"type": "Container", "max": {"memory": "2Gi"}}]},
    ),
)
"""What the namespace ``STRICT`` limits."""
