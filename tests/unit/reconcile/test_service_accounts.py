"""A ServiceAccount of others is used for pods only if it says so."""

import pytest

from grpc_operator.allowances import Allowance
from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError
from grpc_operator.reconcile.service_accounts import is_allowed
from grpc_operator.resources import Manifest, Resource
from tests.unit.desired.service import service


class _Cluster:
    """A cluster with one ServiceAccount."""

    def __init__(self, annotations: dict[str, str] | None) -> None:
        self._metadata: Manifest = {"name": "backend", "annotations": annotations}

    async def get(self, _resource: Resource, _namespace: str, name: str) -> Manifest | None:
        return {"metadata": self._metadata} if name == "backend" else None


async def _allowed(
    annotation: str | None, name: str | None = "backend", *pods_may: Allowance
) -> bool:
    annotations = {"grpc.infera.dev/allowed-grpcservices": annotation} if annotation else None
    cluster = _Cluster(annotations)
    return await is_allowed(cluster, service(serviceAccountName=name), pods_may)  # type: ignore[arg-type]


@pytest.mark.parametrize("annotation", ["*", "users", "orders, users", " users ,", "a,*"])
async def test_an_account_that_allows_it_is_used(annotation: str) -> None:
    """By the name of the GrpcService, or for all of the namespace."""
    assert await _allowed(annotation)


@pytest.mark.parametrize("annotation", [None, "", "user", "users2", "us*", "true", "users orders"])
async def test_any_other_is_refused_with_the_command(annotation: str | None) -> None:
    """The author learns what to ask the account's owner for."""
    with pytest.raises(InvalidSpecError) as caught:
        await _allowed(annotation)
    assert caught.value.reason is Reason.SERVICE_ACCOUNT_NOT_ALLOWED
    assert "kubectl annotate serviceaccount backend" in str(caught.value)


async def test_one_that_does_not_exist_is_named() -> None:
    """Kubernetes would say so only in an Event of the ReplicaSet."""
    with pytest.raises(InvalidSpecError, match="ServiceAccount gone does not exist"):
        await _allowed("*", "gone")


async def test_without_a_name_or_with_an_allowance_nothing_is_read() -> None:
    """The account is the operator's own, or the administrator allows all."""
    assert not await _allowed(None, None)
    for allowance in (Allowance.SERVICE_ACCOUNT_NAME, Allowance.ALL):
        assert not await _allowed(None, "gone", allowance)
