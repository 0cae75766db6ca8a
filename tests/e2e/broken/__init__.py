"""GrpcServices whose pods cannot be created, scheduled, started, or become ready, one way each."""

from tests.e2e.broken.base import NAMESPACE, STRICT, Broken
from tests.e2e.broken.containers import CONFIGURATION, IMAGES, PRESENT, START, VOLUMES
from tests.e2e.broken.nodes import CREATION, SCHEDULING, STAY, STRICT_OBJECTS
from tests.e2e.broken.probes import PROBES, SLOW
from tests.e2e.broken.rollouts import GATEWAY, ROLLOUTS

BROKEN = (
    *(IMAGES + CONFIGURATION + SCHEDULING + CREATION),
    *(VOLUMES + START),
    *(PROBES + STAY + GATEWAY),
)

__all__ = [
    "BROKEN",
    "NAMESPACE",
    "PRESENT",
    "ROLLOUTS",
    "SLOW",
    "STRICT",
    "STRICT_OBJECTS",
    "Broken",
]
