"""What the server knows of a proxy, and what it counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from grpc_operator.resources import Key


@dataclass(frozen=True)
class ProxyState:
    """One connected proxy.

    Attributes:
        node: ``node.id``: its pod.
        tokens: For each service, the token (``Snapshot.tokens``) of the last configuration of
            which the proxy has taken everything that concerns this service.
        rejected: For each service, what the proxy refuses, in its own words; ``None`` stands for
            what concerns all services.
    """

    node: str
    config_hashes: Mapping[Key, str]
    rejected: Mapping[Key | None, str]


@dataclass
class Stats:
    """Counters of one server, read by the metrics.

    Attributes:
        pushes: Responses sent, by message name such as ``RouteConfiguration``.
        acks: Responses that proxies took.
        nacks: Responses that proxies refused.
        connected: Streams that are open now.
    """

    pushes: Counter[str] = field(default_factory=Counter)
    acks: int = 0
    nacks: int = 0
    connected: int = 0
