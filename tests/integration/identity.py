"""Real pods, ServiceAccounts' tokens and CAs: how something on this machine acts for a pod."""

from collections.abc import Iterable

from grpc_operator import labels, names
from grpc_operator.resources import CONFIG_MAPS, PODS, SERVICE_ACCOUNTS, Key, Manifest
from tests.integration.api import Api
from tests.waiting import wait_until

LIFETIME = 3600
"""Seconds; the API server refuses less than 600."""


def pod_of(api: Api, gateway: Key, other_than: Iterable[str] = ()) -> Manifest:
    """Waits for a pod of a gateway.

    Args:
        api: The API server.
        gateway: The GrpcGateway.
        other_than: Names of pods that are in use.
    """
    taken = set(other_than)

    def found() -> Manifest | None:
        for pod in api.list(PODS, gateway.namespace):
            metadata = pod["metadata"]
            if (
                (metadata.get("labels") or {}).get(labels.GATEWAY) == gateway.name
                and metadata["name"] not in taken
                and "deletionTimestamp" not in metadata
            ):
                return pod
        return None

    pod = wait_until(found, f"a pod of {gateway.namespaced_name}")
    assert pod is not None
    return pod


def token(
    api: Api,
    namespace: str,
    account: str,
    *,
    pod: Manifest | None = None,
    audience: str = names.XDS_AUDIENCE,
) -> str:
    """Returns a token of a ServiceAccount, such as the kubelet requests; waits for the account.

    Kubernetes makes that of a new namespace a moment later.

    Args:
        api: The API server.
        namespace: The ServiceAccount's.
        account: Its name.
        pod: What the token is bound to.
        audience: Whom it is for.
    """
    wait_until(
        lambda: api.get(SERVICE_ACCOUNTS, namespace, account) is not None,
        f"ServiceAccount {namespace}/{account}",
    )
    spec: Manifest = {"audiences": [audience], "expirationSeconds": LIFETIME}
    if pod is not None:
        metadata = pod["metadata"]
        spec["boundObjectRef"] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = f"{SERVICE_ACCOUNTS.path(namespace, account)}/token"
    return str(api.send("POST", path, request)["status"]["token"])


def proxy_token(api: Api, gateway: Key, pod: Manifest) -> str:
    """Returns the token of a proxy's pod."""
    account = names.gateway_workload(gateway.name)
    return token(api, gateway.namespace, account, pod=pod)


def trusted(api: Api, gateway: Key) -> bytes:
    """Returns the CAs that the proxies of a gateway trust."""
    config_map = api.get(CONFIG_MAPS, gateway.namespace, names.gateway_bootstrap(gateway.name))
    assert config_map is not None
    return str(config_map["data"][f"{names.XDS_CA}.crt"]).encode()
