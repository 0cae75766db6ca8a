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
        config_hashes: For each service, the hash (``Snapshot.config_hashes``) of the last
            configuration of which the proxy has applied everything that concerns this service.
        rejected: For each service, the proxy's error message about what it rejected; ``None``
            stands for what concerns all services.
    """

    node: str
    config_hashes: Mapping[Key, str]
    rejected: Mapping[Key | None, str]


@dataclass
class Stats:
    """Counters of one server, read by the metrics.

    Attributes:
        pushes: Responses sent, by message name such as ``RouteConfiguration``.
        acks: Responses that proxies acknowledged.
        nacks: Responses that proxies rejected.
        connected: ADS streams that are open now.
        load_reports: Load reports of proxies that were asked for some.
    """

    pushes: Counter[str] = field(default_factory=Counter)
    acks: int = 0
    nacks: int = 0
    connected: int = 0
    load_reports: int = 0
