"""The store never lets an older version replace a newer one."""

from typing import Any

from grpc_operator import labels
from grpc_operator.engine.store import Store, owner_key
from grpc_operator.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    PODS,
    SERVICES,
    Key,
)

KEY = Key("GrpcService", "ns", "users")


def thing(version: int, *, name: str = "users", uid: str = "1", **metadata: Any) -> dict[str, Any]:
    """Returns an object with the metadata that the store reads."""
    own = {"namespace": "ns", "name": name, "uid": uid, "resourceVersion": str(version)}
    return {"metadata": {**own, **metadata}}


def owned(version: int, *, name: str = "users", uid: str = "1") -> dict[str, Any]:
    """Returns an object that the GrpcService ns/users controls."""
    owner = {"kind": "GrpcService", "name": "users", "uid": "u", "controller": True}
    return thing(version, name=name, uid=uid, ownerReferences=[owner])


def test_only_a_newer_version_is_a_change() -> None:
    """An equal or older resource version changes nothing."""
    store = Store()

    assert store.put(GRPC_SERVICES, thing(5))
    assert not store.put(GRPC_SERVICES, thing(5))
    assert not store.put(GRPC_SERVICES, thing(4))
    assert store.put(GRPC_SERVICES, thing(10))
    assert store.get(GRPC_SERVICES, *KEY[1:]) == thing(10)
    assert store.owners() == [KEY]


def test_belongings() -> None:
    """Owned objects and labelled pods are found by their GrpcService."""
    store = Store()
    pod = thing(3, name="users-1", labels={labels.SERVICE: "users"})
    store.put(DEPLOYMENTS, owned(1))
    store.put(SERVICES, owned(2))
    store.put(PODS, pod)
    endpoints = thing(3, name="users-x", labels={labels.SERVICE: "users"})
    store.put(ENDPOINT_SLICES, endpoints)
    store.put(GRPC_SERVICES, thing(4))

    assert store.children(KEY) == [owned(1), owned(2)]
    assert store.belonging(KEY, PODS) == [pod]
    assert store.belonging(KEY, ENDPOINT_SLICES) == [endpoints]

    store.discard(DEPLOYMENTS, owned(1))
    store.put(SERVICES, thing(9))

    assert store.children(KEY) == []


def test_a_namesake_is_not_discarded() -> None:
    """The late news of a deletion does not remove a successor of the same name."""
    store = Store()
    store.put(GRPC_SERVICES, thing(9, uid="new"))
    store.discard(GRPC_SERVICES, thing(5, uid="old"))

    assert store.owners() == [KEY]


def test_a_list_replaces_what_is_not_newer() -> None:
    """What a list lacks is forgotten, unless it came into being after the list was made."""
    store = Store()
    store.put(GRPC_SERVICES, thing(5, name="gone"))
    store.put(GRPC_SERVICES, thing(5, name="stays"))
    store.put(GRPC_SERVICES, thing(20, name="younger"))

    store.replace(GRPC_SERVICES, [thing(7, name="stays"), thing(8, name="new")], 10)

    assert sorted(key.name for key in store.owners()) == ["new", "stays", "younger"]
    assert store.get(GRPC_SERVICES, "ns", "stays") == thing(7, name="stays")


def test_owners() -> None:
    """Only a controlling GrpcService is an owner; pods name theirs in a label."""
    other = {"kind": "ReplicaSet", "name": "x", "uid": "u", "controller": True}
    weak = {"kind": "GrpcService", "name": "users", "uid": "u"}

    assert owner_key(SERVICES, owned(1)) == KEY
    assert owner_key(SERVICES, thing(1)) is None
    assert owner_key(SERVICES, thing(1, ownerReferences=[other, weak])) is None
    assert owner_key(PODS, thing(1)) is None
    assert owner_key(GRPC_SERVICES, thing(1)) == KEY
    proxies = thing(1, labels={labels.GATEWAY: "default"})
    assert owner_key(PODS, proxies) == Key(GRPC_GATEWAYS.kind, "ns", "default")
