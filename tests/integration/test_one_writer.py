"""Two installations over the same objects, with Leases of their own."""

from collections.abc import Callable

import pytest

from grpc_operator.resources import SERVICES
from tests.integration.api import NAMESPACES
from tests.integration.conftest import Start
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster


def repaired(space: Space) -> bool:
    """Whether the Service that was deleted is back."""
    return space.api.get(SERVICES, space.name, "users") is not None


def test_the_younger_installation_stands_by(
    start: Start, make_proxy: Callable[[], Proxy], space: Space
) -> None:
    """One cluster-wide, one for the namespace: the younger writes nothing until the other is gone.

    Their Leases are in different namespaces, so leader election does not find the other.
    """
    home = f"{space.name}-home"
    space.api.create(NAMESPACES, None, {"metadata": {"name": home}})
    older_proxy, younger_proxy = make_proxy(), make_proxy()
    lasts = {"lease_duration_seconds": 4}
    older = start(older_proxy, watch_namespaces="", namespace=home, **lasts)
    older.wait_lease()
    space.apply()
    space.wait_ready()
    wait_until(lambda: older.metric("grpc_operator_lease_held") == 1, "the older one is the leader")
    younger = start(younger_proxy, lease_name="younger", **lasts)
    younger.wait_lease()
    left = "grpc_operator_objects_of_other_operators"
    wait_until(lambda: younger.metric(left) == 1, "the younger one stands by")
    assert f"which the operator with the Lease {home}/" in younger.readyz()[1]
    space.apply("orders")
    space.wait_ready("orders")
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), "the older one repairs")
    assert younger_proxy.writes() == []

    older.kill()
    space.delete(SERVICES, "users")
    wait_until(lambda: repaired(space), "the younger one has taken over")
    wait_until(lambda: younger.metric(left) == 0, "the younger one stands by no more")
    assert space.live()["status"]["operator"] == f"{space.name}/younger"
    space.api.delete(NAMESPACES, None, home)
