"""Three services, three databases, one host: the shop of examples/shop.

The tests of this file build on each other and run in the order they are written.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from images.build import ORDER_SERVICE
from tests.e2e import release
from tests.e2e.clients import RestClient
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.forward import port_forward
from tests.e2e.release import PROXIES, SYSTEM
from tests.e2e.shop_load import HOST
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

_SHOP = ROOT / "examples" / "shop"
_NAMESPACE = "shop"
_SERVICES = ("users", "products", "orders")
_SCALED = 3
"""Seconds after which a client must know new pods; issue 5."""


@dataclass(frozen=True)
class Shop:
    """The namespace of the shop.

    Attributes:
        cluster: The cluster.
        gateway: The gateway as pods reach it.
        user: Id of a user.
        product: Id of a product with enough stock.
    """

    cluster: Cluster
    gateway: str
    user: str
    product: str

    def kubectl(self, *arguments: str) -> str:
        """Runs kubectl in the namespace."""
        return self.cluster.kubectl("-n", _NAMESPACE, *arguments)

    def wait_ready(self, *names: str) -> None:
        """Waits until services are ready in their newest generation."""
        for name in names:
            self.kubectl("wait", "--for=condition=Ready", "--timeout=180s", f"gsvc/{name}")

    def settled(self) -> bool:
        """Whether no pod is leaving any more."""
        pods = self.cluster.get("-n", _NAMESPACE, "pods")["items"]
        return not any("deletionTimestamp" in pod["metadata"] for pod in pods)

    def set_variable(self, name: str, variable: str, value: str) -> None:
        """Gives a service one more environment variable, which rolls it."""
        added = {"op": "add", "path": "/spec/env/-", "value": {"name": variable, "value": value}}
        self.kubectl("patch", f"gsvc/{name}", "--type=json", "--patch", json.dumps([added]))

    def sql(self, database: str, statement: str) -> str:
        """Returns what a statement brings, as the server's own administrator."""
        psql = ("psql", "-qAtX", "--username", "postgres", "--dbname", database, "-c", statement)
        return self.kubectl("exec", "deploy/postgres", "--", *psql).strip()


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Shop]:
    """Provides the shop as its README has it, in a namespace that enforces `restricted`."""
    release.install(cluster)
    cluster.kubectl("apply", "-f", str(_SHOP / "namespace.yaml"))
    for name in ("postgres", *_SERVICES):
        cluster.kubectl("-n", _NAMESPACE, "apply", "-f", str(_SHOP / f"{name}.yaml"))
    gateway = release.gateway_host(cluster)
    empty = Shop(cluster, gateway, "", "")
    empty.wait_ready(*_SERVICES)
    with port_forward(cluster, SYSTEM, f"svc/{PROXIES}", 80) as port:
        client = RestClient(port, HOST)
        user = _posted(client, "/v1/users", {"email": "ada@example.com", "name": "Ada"})
        tea = {"name": "tea", "price": {"currencyCode": "EUR", "units": "3"}}
        product = _posted(client, "/v1/products", {**tea, "stockQuantity": "1000000"})
    yield Shop(cluster, gateway, user["user"]["id"], product["product"]["id"])
    cluster.kubectl("-n", _NAMESPACE, "delete", "gsvc", "--all")
    cluster.kubectl("-n", _NAMESPACE, "delete", "pods", "--all", "--grace-period=1")
    cluster.kubectl("delete", "namespace", _NAMESPACE)
    release.uninstall(cluster)


def _posted(client: RestClient, path: str, body: dict[str, Any]) -> Any:
    answer = client.request(
        "POST", path, json.dumps(body).encode(), content_type="application/json"
    )
    assert answer.status == 200, answer.data
    return json.loads(answer.data)


def test_the_example_client_is_served(shop: Shop) -> None:
    """An order by REST is checked by all three services; the Job says what it saw."""
    script = str(_SHOP / "client.py")
    shop.kubectl("create", "configmap", "shop-client", f"--from-file={script}")
    shop.kubectl("apply", "-f", str(_SHOP / "client-job.yaml"))
    try:
        shop.kubectl("wait", "--for=condition=Complete", "--timeout=180s", "job/shop-client")
    finally:
        output = shop.kubectl("logs", "job/shop-client")

    assert output.count("ok: ") == 6, output
    assert "WRONG" not in output


def test_each_service_has_a_database_of_its_own(shop: Shop) -> None:
    """What the Job did is in three databases, and no role may connect to another's."""
    assert int(shop.sql("users", "SELECT count(*) FROM users")) == 2
    assert int(shop.sql("products", "SELECT count(*) FROM products")) == 2
    assert shop.sql("orders", "SELECT count(*) FROM orders") == "2"
    for role in _SERVICES:
        for database in _SERVICES:
            may = f"SELECT has_database_privilege('{role}', '{database}', 'CONNECT')"
            assert shop.sql("postgres", may) == ("t" if role == database else "f")


def test_updates_of_any_service_fail_no_call(shop: Shop) -> None:
    """Each one is rolled while orders come in by REST and users are read by a direct client."""
    before = int(shop.sql("orders", "SELECT count(*) FROM orders"))
    with _load(shop) as progress:
        for name in _SERVICES:
            made = progress()["orders"].get("CONFIRMED", 0)
            shop.set_variable(name, "ROLLED", "once")
            shop.wait_ready(name)
            wait_until(partial(_more_orders, progress, made), f"orders come in beside {name}")
        wait_until(shop.settled, "the old pods are gone", every=1)
        shop.kubectl("exec", "shop-load", "--", "sh", "-c", "kill -TERM 1")
        result = wait_until(lambda: _ended(shop) and progress(), "the load has ended")

    assert result["failures"] == []
    assert set(result["orders"]) == {"CONFIRMED"}
    assert set(result["users"]) == {"OK"}
    placed = result["orders"]["CONFIRMED"]
    assert int(shop.sql("orders", "SELECT count(*) FROM orders")) == before + placed
    assert int(shop.sql("products", "SELECT sum(reserved_quantity) FROM products")) == placed
    print(f"{result['orders']} {result['users']}")  # noqa: T201 - figures for whoever asks with -s


def test_a_client_finds_new_pods_by_its_config_map_alone(shop: Shop) -> None:
    """Its channel existed before the pods; DNS alone announces them."""
    on = [
        {"op": "add", "path": "/spec/env/-", "value": {"name": "INSTANCE_METADATA", "value": "on"}}
    ]
    shop.kubectl("patch", "gsvc/users", "--type=json", "--patch", json.dumps(on))
    shop.wait_ready("users")
    with _load(shop) as progress:
        wait_until(lambda: len(progress()["instances"]) == _SCALED - 1, "the first pods answer")
        shop.kubectl("scale", "gsvc/users", f"--replicas={_SCALED}")
        shop.wait_ready("users")
        scaled = time.time()
        instances = wait_until(
            lambda: len(progress()["instances"]) == _SCALED and progress()["instances"],
            "the new pod answers as well",
        )
        assert progress()["failures"] == []
    print(f"found after {max(instances.values()) - scaled:.0f} s")  # noqa: T201 - a figure


def _more_orders(progress: Callable[[], dict[str, Any]], than: int) -> bool:
    return bool(progress()["orders"].get("CONFIRMED", 0) > than)


class _load:  # noqa: N801 - reads as a function
    """A pod that calls until it is deleted; entering returns a reader of its figures."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def __enter__(self) -> Callable[[], Any]:
        shop = self._shop
        script = (ROOT / "tests" / "e2e" / "shop_load.py").read_text()
        shop.cluster.apply(_in_shop("ConfigMap", data={"shop_load.py": script}))
        shop.cluster.apply(_in_shop("Pod", spec=_pod(shop)))
        try:
            wait_until(lambda: self._progress()["orders"], "the first order is placed", every=1)
        except BaseException:
            self.__exit__()
            raise
        return self._progress

    def __exit__(self, *error: object) -> None:
        self._shop.kubectl("delete", "pod", "shop-load", "--grace-period=1")

    def _progress(self) -> Any:
        phase = self._shop.cluster.get("-n", _NAMESPACE, "pod", "shop-load")["status"]["phase"]
        if phase == "Pending":
            return {"orders": {}}
        lines = self._shop.kubectl("logs", "shop-load", "--tail=1").splitlines()
        return json.loads(lines[-1]) if lines else {"orders": {}}


def _ended(shop: Shop) -> bool:
    pod = shop.cluster.get("-n", _NAMESPACE, "pod", "shop-load")
    return pod["status"]["phase"] in ("Succeeded", "Failed")


def _in_shop(kind: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": "shop-load", "namespace": _NAMESPACE}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}


def _pod(shop: Shop) -> dict[str, Any]:
    """Knows the address of the users only from their client ConfigMap."""
    container = {
        "name": "load",
        "image": ORDER_SERVICE.tag,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "/load/shop_load.py", shop.gateway, shop.user, shop.product],
        "envFrom": [{"prefix": "USERS_", "configMapRef": {"name": "users-grpc-client"}}],
        "volumeMounts": [{"name": "code", "mountPath": "/load", "readOnly": True}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "code", "configMap": {"name": "shop-load"}}],
    }
