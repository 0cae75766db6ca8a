"""The GrpcGateways as they were last read, and what their namespaces' labels make of them."""

from collections.abc import Iterator

from grpc_operator.api import GrpcGateway
from grpc_operator.controlplane.owners import Owners
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir, listeners
from grpc_operator.gateway.budget_accounts import Limits
from grpc_operator.gateway.namespaces import Namespaces, selectors
from grpc_operator.resources import GRPC_GATEWAYS, NAMESPACES, Key


class Gateways:
    """The valid GrpcGateways.

    Args:
        store: What the cluster holds.
        owners: Parses them.
        cluster_domain: DNS domain of the cluster.
        with_namespaces: Whether Namespaces are watched; otherwise selectors select nothing.
    """

    def __init__(
        self,
        store: Store,
        owners: Owners[GrpcGateway],
        cluster_domain: str,
        *,
        with_namespaces: bool,
    ) -> None:
        self._store = store
        self._owners = owners
        self._cluster_domain = cluster_domain
        self._with_namespaces = with_namespaces
        self._known: dict[Key, GrpcGateway] = {}
        self._irs: dict[Key, ir.GatewayIr] = {}
        self._made_of: dict[Key, tuple[GrpcGateway, Namespaces]] = {}
        self._labels: Namespaces = {}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._known)

    def get(self, key: Key) -> GrpcGateway | None:
        """Returns a gateway as it was last valid; ``None`` if there is none that ever was."""
        return self._known.get(key)

    def read(self, key: Key) -> bool:
        """Reads a gateway; returns whether it is another one than before."""
        known = self._known.pop(key, None)
        manifest = self._store.get(GRPC_GATEWAYS, key.namespace, key.name)
        if manifest is None:
            self._owners.forget(key)
            self._forget(key)
            return known is not None
        parsed = self._owners.parse(key, manifest)
        is_same = known is not None and known.metadata.uid == parsed.owner.metadata.uid
        if not is_same:
            self._forget(key)
        valid = parsed.owner if parsed.invalid is None else known if is_same else None
        if valid is not None:
            self._known[key] = valid
        return self._known.get(key) is not known

    def read_namespaces(self) -> bool:
        """Reads the namespaces; returns whether that may matter to a gateway."""
        labels = {
            manifest["metadata"]["name"]: manifest["metadata"].get("labels") or {}
            for manifest in self._store.all(NAMESPACES)
        }
        if labels == self._labels:
            return False
        self._labels = labels
        return any(map(self._selects, self._known.values()))

    def ir(self, key: Key) -> ir.GatewayIr:
        """Returns what the proxies of a gateway are, or were when it was last valid.

        Raises:
            InvalidSpecError: It has what cannot be configured, and always had.
        """
        gateway = self._known[key]
        made_of = self._made_of.get(key)
        if made_of is not None and made_of[0] is gateway and made_of[1] is self._labels:
            return self._irs[key]
        try:
            made = listeners.gateway_ir(gateway, self._cluster_domain, self._namespaces)
        except InvalidSpecError:
            if key not in self._irs:
                raise
        else:
            self._irs[key] = made
            self._made_of[key] = gateway, self._labels
        return self._irs[key]

    def limits(self, key: Key) -> Limits:
        """Returns what its services may cost."""
        return Limits.of(self._known[key].spec)

    def admitting(self, key: Key, namespace: str) -> tuple[str, ...]:
        """Returns the names of the listeners that serve the services of a namespace."""
        gateway = self._known.get(key)
        return listeners.admitting(gateway, namespace, self._namespaces) if gateway else ()

    def unwatched_selectors(self, key: Key) -> list[str]:
        """Returns the fields of a gateway that select namespaces which are not watched."""
        gateway = self._known.get(key)
        return selectors(gateway.spec) if gateway and not self._with_namespaces else []

    def _forget(self, key: Key) -> None:
        self._irs.pop(key, None)
        self._made_of.pop(key, None)

    @property
    def _namespaces(self) -> Namespaces | None:
        return self._labels if self._with_namespaces else None

    @staticmethod
    def _selects(gateway: GrpcGateway) -> bool:
        return bool(selectors(gateway.spec))
